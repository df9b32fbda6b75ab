"""Makes a hash in each format that the import reads, with the libraries that made them in other systems.

Input: a JSON list of passwords. Output: a JSON list of {format, password, line}, where `line` holds the fields of an import line.
Each password is used for the next formats in turn. All hashes are cheap.
"""

import base64
import hashlib
import itertools
import json
import os
import struct
import sys

import argon2.low_level
import bcrypt
import django.conf
import passlib.hash
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.contrib.auth import hashers

django.conf.settings.configure()
made = []
passwords = itertools.cycle(json.load(sys.stdin))


def b64(data):
    return base64.b64encode(data).decode()


def add(name, make):
    password = next(passwords)
    line = make(password)
    made.append({"format": name, "password": password, "line": line if isinstance(line, dict) else {"passwordHash": line}})


def argon2_of(kind, version, lanes):
    return lambda password: argon2.low_level.hash_secret(
        password.encode(), os.urandom(16), 2, 64, lanes, 32, kind, version
    ).decode()


for kind in argon2.low_level.Type:
    add(f"argon2-cffi, {kind.name}, 1.3", argon2_of(kind, 19, 1))
    add(f"argon2-cffi, {kind.name}, 1.0", argon2_of(kind, 16, 2))

for ident in ["2a", "2b", "2y"]:
    add(f"passlib's bcrypt {ident}", passlib.hash.bcrypt.using(rounds=4, ident=ident).hash)
add("bcrypt", lambda password: bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode())
add("passlib's pbkdf2_sha1", passlib.hash.pbkdf2_sha1.using(rounds=100).hash)
add("passlib's pbkdf2_sha256", passlib.hash.pbkdf2_sha256.using(rounds=100).hash)
add("passlib's pbkdf2_sha512", passlib.hash.pbkdf2_sha512.using(rounds=100).hash)
add("passlib's scrypt", passlib.hash.scrypt.using(rounds=6, block_size=8).hash)


def django_of(hasher, **cheap):
    made_cheap = type(hasher.__name__, (hasher,), cheap)()
    return lambda password: made_cheap.encode(password, made_cheap.salt())


add("Django's pbkdf2_sha256", django_of(hashers.PBKDF2PasswordHasher, iterations=100))
add("Django's pbkdf2_sha1", django_of(hashers.PBKDF2SHA1PasswordHasher, iterations=100))
add("Django's argon2", django_of(hashers.Argon2PasswordHasher, time_cost=1, memory_cost=64, parallelism=2))
add("Django's bcrypt", django_of(hashers.BCryptPasswordHasher, rounds=4))
add("Django's bcrypt_sha256", django_of(hashers.BCryptSHA256PasswordHasher, rounds=4))
add("Django's scrypt", django_of(hashers.ScryptPasswordHasher, work_factor=64))


def keycloak(algorithm, iterations, value, salt, parameters):
    credential = {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": parameters}
    secret = {"value": value, "salt": b64(salt), "additionalParameters": {}}
    return {"keycloak": {"credentialData": json.dumps(credential), "secretData": json.dumps(secret)}}


def keycloak_pbkdf2(algorithm, digest, length):
    salt = os.urandom(16)
    derive = lambda password: b64(hashlib.pbkdf2_hmac(digest, password.encode(), salt, 100, length))
    return lambda password: keycloak(algorithm, 100, derive(password), salt, {})


def keycloak_argon2(password):
    salt = os.urandom(16)
    hashed = argon2.low_level.hash_secret_raw(password.encode(), salt, 3, 64, 1, 32, argon2.low_level.Type.ID)
    parameters = {"hashLength": ["32"], "memory": ["64"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
    return keycloak("argon2", 3, b64(hashed), salt, parameters)


def keycloak_bcrypt(password):
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
    return keycloak("bcrypt", 4, hashed, b"", {})


add("Keycloak's pbkdf2", keycloak_pbkdf2("pbkdf2", "sha1", 64))
add("Keycloak's pbkdf2-sha256", keycloak_pbkdf2("pbkdf2-sha256", "sha256", 64))
add("Keycloak's pbkdf2-sha512", keycloak_pbkdf2("pbkdf2-sha512", "sha512", 64))
add("Keycloak's argon2", keycloak_argon2)
add("Keycloak's bcrypt plug-in", keycloak_bcrypt)


def kratos_scrypt(password):
    salt = os.urandom(32)
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1, dklen=32)
    return f"$scrypt$ln=1024,r=8,p=1${b64(salt)}${b64(hashed)}"


def kratos_pbkdf2(password):
    salt = os.urandom(16)
    hashed = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100, 32)
    return f"$pbkdf2-sha256$i=100,l=32${b64(salt).rstrip('=')}${b64(hashed).rstrip('=')}"


add("Kratos' scrypt", kratos_scrypt)
add("Kratos' pbkdf2", kratos_pbkdf2)


def identity_v2(password):
    salt = os.urandom(16)
    return b64(b"\0" + salt + hashlib.pbkdf2_hmac("sha1", password.encode(), salt, 1000, 32))


def identity_v3(number, digest):
    salt = os.urandom(16)
    head = struct.pack(">BIII", 1, number, 100, len(salt))
    return lambda password: b64(head + salt + hashlib.pbkdf2_hmac(digest, password.encode(), salt, 100, 32))


add("ASP.NET Identity V2", identity_v2)
for number, digest in enumerate(["sha1", "sha256", "sha512"]):
    add(f"ASP.NET Identity V3, {digest}", identity_v3(number, digest))

add("Dex", lambda password: b64(bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, b"2a"))))

signer_key, separator = os.urandom(64), b"\x07"


def firebase(password):
    salt = os.urandom(10)
    key = hashlib.scrypt(password.encode(), salt=salt + separator, n=2**6, r=8, p=1, dklen=32)
    hashed = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(signer_key)
    return {"firebase": {"passwordHash": b64(hashed), "salt": b64(salt)}}


add("Firebase", firebase)
parameters = {"signerKey": b64(signer_key), "saltSeparator": b64(separator), "rounds": 8, "memCost": 6}
json.dump({"made": made, "firebase": parameters}, sys.stdout)
