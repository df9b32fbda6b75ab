"""Starts moto. Version 5.2.5 ignores MessageType=DIGEST and hashes a digest again, so KMS' Sign is corrected here."""

import base64
import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from moto.kms.responses import KmsResponse
from moto.server import main

sign_raw = KmsResponse.sign


def sign(self):
    algorithm = self._get_param("SigningAlgorithm")
    if self._get_param("MessageType") != "DIGEST" or algorithm != "RSASSA_PKCS1_V1_5_SHA_256":
        return sign_raw(self)
    key = self.kms_backend.describe_key(self._get_param("KeyId"))
    digest = utils.Prehashed(hashes.SHA256())
    signature = key.private_key.private_key.sign(self._get_param("Message"), padding.PKCS1v15(), digest)
    encoded = base64.b64encode(signature).decode("ascii")
    return json.dumps({"KeyId": key.arn, "Signature": encoded, "SigningAlgorithm": algorithm})


KmsResponse.sign = sign
main(sys.argv[1:])
