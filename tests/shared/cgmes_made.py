"""A CGMES 2.4.15 model of three buses written as XML by the tests: EQ, SSH, TP and SV."""

from pathlib import Path

PROFILE = {
    "EQ": "http://entsoe.eu/CIM/EquipmentCore/3/1",
    "SSH": "http://entsoe.eu/CIM/SteadyStateHypothesis/1/1",
    "TP": "http://entsoe.eu/CIM/Topology/4/1",
    "SV": "http://entsoe.eu/CIM/StateVariables/4/1",
}
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cim="http://iec.ch/TC57/2013/CIM-schema-cim16#"
 xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#" xmlns:entsoe="http://entsoe.eu/CIM/SchemaExtension/3/1#">
<md:FullModel rdf:about="urn:uuid:{profile}"><md:Model.profile>{url}</md:Model.profile></md:FullModel>
"""
_SCHEMA = "http://iec.ch/TC57/2013/CIM-schema-cim16#"


def _element(kind: str, key: str, *, about: bool = False, **values: object) -> str:
    """Return one element; a value `#x` refers to another, `+x` is a word of the schema."""
    mark = f'rdf:about="#{key}"' if about else f'rdf:ID="{key}"'
    lines = []
    for name, value in values.items():
        tag = f"cim:{name.replace('__', '.')}"
        if isinstance(value, str) and value[:1] == "#":
            lines.append(f'<{tag} rdf:resource="{value}"/>')
        elif isinstance(value, str) and value[:1] == "+":
            lines.append(f'<{tag} rdf:resource="{_SCHEMA}{value[1:]}"/>')
        else:
            lines.append(f"<{tag}>{value}</{tag}>")
    return f"<cim:{kind} {mark}>{''.join(lines)}</cim:{kind}>"


def _named(kind: str, key: str, **values: object) -> str:
    return _element(kind, key, IdentifiedObject__name=key, **values)


def _control(key: str, terminal: str) -> str:
    where = {
        "RegulatingControl__Terminal": f"#{terminal}",
        "RegulatingControl__mode": "+RegulatingControlModeKind.voltage",
    }
    return _named("RegulatingControl", key, **where)


def _winding(key: str, number: int, terminal: str, *, kv: float, z_ohm: complex) -> str:
    values = {
        "PowerTransformerEnd__PowerTransformer": "#T1",
        "PowerTransformerEnd__ratedS": 200,
        "PowerTransformerEnd__ratedU": kv,
        "PowerTransformerEnd__r": z_ohm.real,
        "PowerTransformerEnd__x": z_ohm.imag,
        "PowerTransformerEnd__b": 0,
        "PowerTransformerEnd__g": 0,
        "TransformerEnd__BaseVoltage": f"#V{kv:g}",
        "TransformerEnd__Terminal": f"#{terminal}",
        "TransformerEnd__endNumber": number,
    }
    return _named("PowerTransformerEnd", key, **values)


TERMINALS = {
    "XA": ("X1", "A", 1),
    "LA": ("L1", "A", 1),
    "LB": ("L1", "B", 2),
    "TB": ("T1", "B", 1),
    "TC": ("T1", "C", 2),
    "GC": ("G1", "C", 1),
    "DB": ("D1", "B", 1),
    "DC": ("D2", "C", 1),
}
"""Terminal -> equipment, node, number."""


def cgmes_files(folder: Path) -> list[Path]:
    """Write the model and return its files.

    A (220 kV, external network at 1.02 pu) - line 4 + 32j ohm, 100 uS - B (100 MW, 30 Mvar) -
    transformer 220/110 kV, 0.5 + 24.2j ohm at 220 kV - C (110 kV: 80 MW at 1.01 pu, load 60 MW, 20 Mvar).
    """
    terminals = [
        _named("Terminal", key, Terminal__ConductingEquipment=f"#{of}", ACDCTerminal__sequenceNumber=number)
        for key, (of, _, number) in TERMINALS.items()
    ]
    eq = [
        *(_named("BaseVoltage", f"V{kv}", BaseVoltage__nominalVoltage=kv) for kv in (220, 110)),
        _named("GeographicalRegion", "R"),
        _named("SubGeographicalRegion", "SR", SubGeographicalRegion__Region="#R"),
        _named("Substation", "S", Substation__Region="#SR"),
        *(
            _named(
                "VoltageLevel", f"VL{kv}", VoltageLevel__BaseVoltage=f"#V{kv}", VoltageLevel__Substation="#S"
            )
            for kv in (220, 110)
        ),
        *terminals,
        _named(
            "ACLineSegment",
            "L1",
            ConductingEquipment__BaseVoltage="#V220",
            Conductor__length=100,
            ACLineSegment__r=4,
            ACLineSegment__x=32,
            ACLineSegment__bch=1e-4,
            ACLineSegment__gch=0,
        ),
        _named("PowerTransformer", "T1", Equipment__EquipmentContainer="#S"),
        _winding("E1", 1, "TB", kv=220, z_ohm=0.5 + 24.2j),
        _winding("E2", 2, "TC", kv=110, z_ohm=0j),
        _named("ThermalGeneratingUnit", "U1", **_unit()),
        _named(
            "SynchronousMachine",
            "G1",
            RotatingMachine__GeneratingUnit="#U1",
            RegulatingCondEq__RegulatingControl="#C1",
            RotatingMachine__ratedS=120,
            SynchronousMachine__minQ=-60,
            SynchronousMachine__maxQ=60,
            SynchronousMachine__type="+SynchronousMachineKind.generator",
            Equipment__EquipmentContainer="#VL110",
        ),
        _control("C1", "GC"),
        _named(
            "ExternalNetworkInjection",
            "X1",
            RegulatingCondEq__RegulatingControl="#C2",
            ExternalNetworkInjection__maxP=1000,
            ExternalNetworkInjection__minP=-1000,
            ExternalNetworkInjection__maxQ=1000,
            ExternalNetworkInjection__minQ=-1000,
            Equipment__EquipmentContainer="#VL220",
        ),
        _control("C2", "XA"),
        *(_named("EnergyConsumer", key, Equipment__EquipmentContainer="#VL220") for key in ("D1", "D2")),
    ]
    ssh = [
        *(_element("Terminal", key, about=True, ACDCTerminal__connected="true") for key in TERMINALS),
        _consumer("D1", 100, 30),
        _consumer("D2", 60, 20),
        _element(
            "SynchronousMachine",
            "G1",
            about=True,
            RotatingMachine__p=-80,
            RotatingMachine__q=0,
            RegulatingCondEq__controlEnabled="true",
            SynchronousMachine__referencePriority=0,
        ),
        _element(
            "ExternalNetworkInjection",
            "X1",
            about=True,
            ExternalNetworkInjection__p=0,
            ExternalNetworkInjection__q=0,
            ExternalNetworkInjection__referencePriority=1,
            RegulatingCondEq__controlEnabled="true",
        ),
        *(
            _element(
                "RegulatingControl",
                key,
                about=True,
                RegulatingControl__enabled="true",
                RegulatingControl__discrete="false",
                RegulatingControl__targetValue=kv,
            )
            for key, kv in (("C1", 111.1), ("C2", 224.4))
        ),
    ]
    base = {"A": 220, "B": 220, "C": 110}
    tp = [
        *(
            _named(
                "TopologicalNode",
                key,
                TopologicalNode__BaseVoltage=f"#V{kv}",
                TopologicalNode__ConnectivityNodeContainer=f"#VL{kv}",
            )
            for key, kv in base.items()
        ),
        *(
            _element("Terminal", key, about=True, Terminal__TopologicalNode=f"#{node}")
            for key, (_, node, _) in TERMINALS.items()
        ),
    ]
    sv = [
        _element(
            "SvVoltage", f"SV{key}", SvVoltage__TopologicalNode=f"#{key}", SvVoltage__v=v, SvVoltage__angle=0
        )
        for key, v in (("A", 224.4), ("B", 220), ("C", 111.1))
    ]
    files = []
    for profile, body in {"EQ": eq, "SSH": ssh, "TP": tp, "SV": sv}.items():
        path = folder / f"made_{profile}.xml"
        head = _HEAD.format(profile=profile, url=PROFILE[profile])
        path.write_text("\n".join([head, *body, "</rdf:RDF>"]), encoding="utf-8")
        files.append(path)
    return files


def _unit() -> dict[str, object]:
    powers = {"nominalP": 100, "minOperatingP": 0, "maxOperatingP": 100, "initialP": 80}
    return {f"GeneratingUnit__{name}": value for name, value in powers.items()}


def _consumer(key: str, p_mw: float, q_mvar: float) -> str:
    return _element("EnergyConsumer", key, about=True, EnergyConsumer__p=p_mw, EnergyConsumer__q=q_mvar)
