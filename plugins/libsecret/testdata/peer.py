"""Reads and writes items of the Secret Service as peers do, by libsecret.

    peer.py persistence save|load LOCATION SCHEMA ATTRIBUTES
    peer.py plain       save|load LABEL    SCHEMA ATTRIBUTES
    peer.py dotnet      save|load LABEL    SCHEMA ATTRIBUTES

"persistence" is LibsecretPersistence of MSAL Extensions for Python; an empty
SCHEMA stands for its default. The others call libsecret as the extensions for
Go ("plain") and .NET do, which look for an item with and without its schema's
name. ATTRIBUTES are JSON. What is saved comes from standard input; what is
loaded goes to standard output.
"""
import json
import sys

import gi

gi.require_version("Secret", "1")
from gi.repository import Secret


class LibsecretAlone:
    def __init__(self, label, name, attributes, flags):
        self.label, self.attributes = label, attributes
        self.schema = Secret.Schema.new(name, flags, {a: Secret.SchemaAttributeType.STRING for a in attributes})

    def save(self, text):
        if not Secret.password_store_sync(self.schema, self.attributes, Secret.COLLECTION_DEFAULT, self.label, text, None):
            sys.exit("not stored")

    def load(self):
        text = Secret.password_lookup_sync(self.schema, self.attributes, None)
        if text is None:
            sys.exit("not found")
        return text


def store(kind, where, schema, attributes):
    if kind == "persistence":
        from msal_extensions import LibsecretPersistence
        return LibsecretPersistence(where, schema_name=schema or None, attributes=attributes)
    flags = Secret.SchemaFlags.DONT_MATCH_NAME if kind == "dotnet" else Secret.SchemaFlags.NONE
    return LibsecretAlone(where, schema, attributes, flags)


kind, verb, where, schema, attributes = sys.argv[1:]
store = store(kind, where, schema, json.loads(attributes))
if verb == "save":
    store.save(sys.stdin.read())
else:
    sys.stdout.write(store.load())
