"""validate.py SCHEMA FILE...: each file, or each line of a .jsonl file, against a JSON schema. Exit 1 with what does not fit."""
import json
import sys

import jsonschema


def documents(path):
    with open(path, encoding="utf-8") as file:
        if path.endswith(".jsonl"):
            yield from ((f"{path}:{number}", json.loads(line)) for number, line in enumerate(file, 1))
        else:
            yield path, json.load(file)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = 0
    for path in sys.argv[2:]:
        for place, document in documents(path):
            for error in validator.iter_errors(document):
                print(f"{place}: {'/'.join(map(str, error.path))}: {error.message[:300]}")
                faults += 1
                if faults > 20:
                    sys.exit(1)
    sys.exit(1 if faults else 0)


main()
