"""Server-side encryption: the flag and the key's name are kept and reported; files are as they are.

Who needs encryption at rest on one machine encrypts its disk. There is no KMS to ask; so a key
must have the form of one.
"""

from __future__ import annotations

import re
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.log import StreamInfo

_GUID = r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_KEY = re.compile(
    rf"(?:arn:aws[\w-]*:kms:[\w-]*:\d{{12}}:(?:key/{_GUID}|alias/[\w/-]+)|{_GUID}|alias/[\w/-]+)\Z",
    re.IGNORECASE,
)


def start(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    if request.EncryptionType != "KMS":
        words = "EncryptionType must be KMS to start the encryption of a stream."
        raise AwsError("InvalidArgumentException", words)
    if not _KEY.match(request.KeyId):
        words = f"Invalid keyId {request.KeyId[:200]}"
        raise AwsError("KMSNotFoundException", words)

    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        return {"attributes": {**info.attributes, "key_id": request.KeyId}}

    context.stream(request).update(change, slow=True)
    return {}


def stop(context: KinesisContext, call: Call) -> Answer:
    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        return {"attributes": {k: v for k, v in info.attributes.items() if k != "key_id"}}

    context.stream(call.request).update(change, slow=True)
    return {}


OPERATIONS = {"StartStreamEncryption": start, "StopStreamEncryption": stop}
