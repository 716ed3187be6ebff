"""Records from templates: into a file, into a stream, and each method for itself.

    python -m benchmarks generator

Per second of CPU, so that other work on the machine counts little; into a stream per second of the
clock, acknowledged, that is on disk. Every line written is parsed again. Beside it faker.js 3.1, on
which the public generator stands, and Python's Faker make the same records.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import HOME
from eddyline.clock import SYSTEM
from eddyline.generator.job import Generator
from eddyline.generator.methods import METHODS
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import LocalStream, open_file
from eddyline.generator.template import compile_template
from eddyline.log import LogStore
from eddyline.settings import Settings

RUNS = 3
RECORDS = 1_000_000
ROWS = 10_000
PEER_S = 1.0
METHOD_S = 0.05
TEMPLATES = {
    "lab": '{"sensor_id": {{random.number(150)}},'
    '"current_temperature": {{random.number({"min":10,"max":150})}},'
    '"status": "{{random.arrayElement(["OK","FAIL","WARN"])}}",'
    '"event_time": "{{date.utc("YYYY-MM-DDTHH:mm:ss.SSS")}}"}',
    "person": '{"id":"{{random.uuid}}","name":"{{name.firstName}} {{name.lastName}}",'
    '"mail":"{{internet.email}}","city":"{{address.city}}","ip":"{{internet.ip}}"}',
}
NODE = {
    "lab": "()=>JSON.stringify({sensor_id:f.random.number(150),"
    "current_temperature:f.random.number({min:10,max:150}),"
    "status:f.random.arrayElement(['OK','FAIL','WARN']),event_time:new Date().toISOString()})",
    "person": "()=>JSON.stringify({id:f.random.uuid(),"
    "name:f.name.firstName()+' '+f.name.lastName(),mail:f.internet.email(),"
    "city:f.address.city(),ip:f.internet.ip()})",
}
# What Python's Faker calls it.
PYTHON = {
    "random.number": "random_int", "random.uuid": "uuid4", "random.boolean": "boolean",
    "name.firstName": "first_name", "name.lastName": "last_name", "name.findName": "name",
    "name.jobTitle": "job", "address.city": "city", "address.streetAddress": "street_address",
    "address.country": "country", "address.zipCode": "postcode", "company.companyName": "company",
    "company.catchPhrase": "catch_phrase", "company.bs": "bs", "internet.email": "email",
    "internet.userName": "user_name", "internet.ip": "ipv4", "internet.ipv6": "ipv6",
    "internet.mac": "mac_address", "internet.userAgent": "user_agent", "internet.url": "url",
    "internet.domainName": "domain_name", "internet.password": "password",
    "lorem.word": "word", "lorem.sentence": "sentence", "lorem.paragraph": "paragraph",
    "phone.phoneNumber": "phone_number", "finance.iban": "iban", "finance.bic": "swift",
    "finance.creditCardNumber": "credit_card_number", "finance.currencyCode": "currency_code",
    "system.fileName": "file_name", "system.mimeType": "mime_type", "vehicle.vin": "vin",
}  # fmt: skip


def main() -> None:
    peers = _node({**NODE, **{name: f"()=>String(f.{_call(name)})" for name in METHODS}})
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        for name in TEMPLATES:
            spec = {
                "template, records/s of CPU": name,
                "ours, into a file": _file(name, Path(folder)),
                "faker.js": peers.get(name),
                "Faker": _python(name),
            }
            print(json.dumps(spec), flush=True)
        rate = _stream(Path(folder))
        print(json.dumps({"into a local stream": "lab", "acknowledged/s": rate}), flush=True)
    runs: list[dict[str, Any]] = [
        {
            "method, texts/s of CPU": name,
            "ours": _method(name),
            "faker.js": peers.get(name),
            "Faker": _python(name),
        }
        for name in METHODS
    ]
    for peer in ("faker.js", "Faker"):
        times = [r["ours"] / r[peer] for r in runs if r[peer]]
        if times:
            spec = {
                "ours, times as fast as": peer,
                "methods": len(times),
                "median": round(statistics.median(times), 1),
                "least": round(min(times), 2),
            }
            print(json.dumps(spec), flush=True)
    for row in runs:
        print(json.dumps(row), flush=True)


def _call(name: str) -> str:
    """A method's example as JavaScript calls it."""
    example = METHODS[name].example
    return example if "(" in example else f"{example}()"


def _file(name: str, folder: Path) -> int:
    """Records a second of CPU, rendered and written; each line parsed again."""
    rates = []
    for run in range(RUNS):
        path = folder / f"{name}{run}.ndjson"
        spec = GeneratorSpec(TEMPLATES[name], f"file:{path}", rate=None, total=RECORDS, seed=run)
        target = open_file(str(path))
        generator = Generator(spec, target)
        began = time.process_time()
        generator.run(threading.Event())
        target.close()
        rates.append(RECORDS / (time.process_time() - began))
        with path.open("rb") as lines:
            parsed = sum(1 for line in lines if json.loads(line))
        assert parsed == RECORDS, f"{parsed} of {RECORDS} lines could be parsed"
        path.unlink()
    return round(statistics.median(rates))


def _stream(folder: Path) -> int:
    rates = []
    store = LogStore(folder, Settings(data_dir=folder), SYSTEM)
    for run in range(RUNS):
        stream = store.create(f"s{run}", 4)
        spec = GeneratorSpec(TEMPLATES["lab"], "stream:s", rate=None, total=RECORDS, seed=run)
        began = time.perf_counter()
        counters = Generator(spec, LocalStream(stream)).run(threading.Event())
        rates.append(counters.accepted / (time.perf_counter() - began))
        assert counters.accepted == RECORDS
    store.close()
    return round(statistics.median(rates))


def _method(name: str) -> int:
    template = compile_template("{{" + METHODS[name].example + "}}")
    rng = np.random.default_rng(1)
    return _pace(lambda: template.render(ROWS, rng, SYSTEM.now_ms()), METHOD_S) * ROWS


def _pace(work: Callable[[], Any], seconds: float) -> int:
    """Calls a second of CPU."""
    work()
    calls, began = 0, time.process_time()
    while (took := time.process_time() - began) < seconds:
        work()
        calls += 1
    return round(calls / took)


def _python(name: str) -> int | None:
    from faker import Faker

    fake = Faker()
    if name == "lab":
        from datetime import UTC, datetime

        states = ("OK", "FAIL", "WARN")
        return _pace(
            lambda: json.dumps(
                {
                    "sensor_id": fake.random_int(0, 150),
                    "current_temperature": fake.random_int(10, 150),
                    "status": fake.random_element(states),
                    "event_time": datetime.now(UTC).isoformat(),
                }
            ),
            PEER_S,
        )
    if name == "person":
        return _pace(
            lambda: json.dumps(
                {
                    "id": fake.uuid4(),
                    "name": fake.first_name() + " " + fake.last_name(),
                    "mail": fake.email(),
                    "city": fake.city(),
                    "ip": fake.ipv4(),
                }
            ),
            PEER_S,
        )
    return _pace(getattr(fake, PYTHON[name]), METHOD_S) if name in PYTHON else None


def _node(work: dict[str, str]) -> dict[str, int]:
    """Calls a second of CPU in faker.js; nothing where there is no Node or no such method."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return {}
    home = HOME / "faker"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "node_modules" / "faker").exists():
        command = ["npm", "install", "--silent", "--prefix", str(home), "faker@3.1.0"]
        subprocess.run(command, check=True, capture_output=True)
    cases = ",".join(
        f"{json.dumps(n)}:()=>{{const g={code};return g()}}" for n, code in work.items()
    )
    script = (
        "const f=require('faker');const out={};"
        "function pace(g){for(let i=0;i<200;i++)g();const c=()=>process.cpuUsage();"
        "const b=c();let n=0,t=0;while(t<5e4){for(let i=0;i<200;i++)g();n+=200;"
        "const e=process.cpuUsage(b);t=e.user+e.system;}return Math.round(n/t*1e6);}"
        f"const cases={{{cases}}};"
        "for(const k in cases){try{if(/undefined|required|object Object/.test(cases[k]()))continue;"
        "out[k]=pace(cases[k]);}"
        "catch(e){}}console.log(JSON.stringify(out));"
    )
    ran = subprocess.run(
        ["node", "-e", script], cwd=home, capture_output=True, text=True, check=True
    )
    parsed: dict[str, int] = json.loads(ran.stdout)
    return parsed


if __name__ == "__main__":
    main()
