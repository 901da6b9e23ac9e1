import torch

from graphkd.teachers import TeacherOutput


def test_the_checksum_sees_values_and_shapes() -> None:
    logits = torch.ones(4, 2)
    wide, narrow = torch.ones(4, 4), torch.ones(4, 2)
    told = TeacherOutput(logits, [wide, narrow, logits]).checksum()
    assert told == TeacherOutput(logits.clone(), [wide, narrow, logits]).checksum()
    assert told != TeacherOutput(logits, [narrow, wide, logits]).checksum()
    assert told != TeacherOutput(2 * logits, [wide, narrow, logits]).checksum()
