import pytest

from agenttrace import energy
from agenttrace.compare import explain
from agenttrace.compare.sensitivity import Unknown
from agenttrace.energy import draws
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.estimate import Constants, ModelFactor, Moments, Parameters, energy_j
from agenttrace.energy.pricing import Boundary

FACTORS = energy.shipped()
CONSTANTS = draws.shared(FACTORS)

# Of 100 input tokens 60 are from a cache, and 20 come out.
CALL = Moments(uncached=40, uncached_context=3200, cached=60, output=20, output_context=2200)


def model(class_name: str, boundary: Boundary = "facility") -> ModelFactor:
    match = of_class(class_name, FACTORS)
    return draws.priced(None, None, match, FACTORS, CONSTANTS, boundary=boundary)


def lines(class_name: str, boundary: Boundary = "facility") -> tuple[explain.Line, ...]:
    central = draws.central(FACTORS)
    return explain.lines(CALL, model(class_name, boundary), central, boundary)


def test_every_line_is_worked_out_as_it_says():
    """Class large: P = 37, e_d = 0.55, KV = 70,000; M = 1.72, eps = 0.0035."""
    reading, attention, cached, writing, context = lines("large")
    assert (reading.coefficient, reading.numbers) == ("M*eps*P", "1.72*0.0035*37")
    assert reading.j_per_unit == pytest.approx(1.72 * 0.0035 * 37)
    assert reading.energy_j == pytest.approx(40 * 0.22274)
    assert (attention.moment, attention.units) == ("n_u*(n_c + n_u/2)", 3200)
    assert (attention.coefficient, attention.numbers) == (
        "M*eps*P/rho",
        "1.72*0.0035*37/50,000",
    )
    assert attention.energy_j == pytest.approx(3200 * 0.22274 / 50_000)
    assert cached.energy_j == pytest.approx(60 * 0.22274 * 0.02)
    assert (writing.coefficient, writing.numbers) == ("M*e_d", "1.72*0.55")
    assert writing.energy_j == pytest.approx(20 * 0.946)
    assert (context.coefficient, context.numbers) == ("M*jb*KV", "1.72*1.9e-10*70,000")
    assert context.energy_j == pytest.approx(2200 * 1.72 * 1.9e-10 * 70_000)


@pytest.mark.parametrize("boundary", ["accelerator", "server", "facility"])
def test_lines_add_up_to_the_estimate(boundary: Boundary):
    whole = energy_j(CALL, model("large", boundary).coefficients)
    assert sum(line.energy_j for line in lines("large", boundary)) == pytest.approx(
        whole, rel=1e-15
    )


def test_each_boundary_has_its_formula():
    assert explain.formula("facility").startswith("E = M*( eps*P*(")
    assert explain.formula("server").startswith("E = (1 + s*(M - 1))*( eps*P*(")
    assert explain.formula("accelerator").startswith("E = eps*P*( n_u*(")
    assert lines("tiny", "accelerator")[3].numbers == "0.14"
    server = lines("tiny", "server")[3]
    assert (server.coefficient, server.numbers) == (
        "(1 + s*(M - 1))*e_d",
        "(1 + 0.58*(1.72 - 1))*0.14",
    )
    assert server.j_per_unit == pytest.approx((1 + 0.58 * 0.72) * 0.14)


def test_what_writes_nothing_has_lines_of_zero():
    *reading, writing, context = lines("embedding")
    assert all(line.energy_j > 0 for line in reading)
    assert (writing.energy_j, context.energy_j) == (0, 0)


def test_every_factor_has_its_letter_and_what_would_make_it_known():
    parts = of_class("large", FACTORS).parts
    own = [parts.active_parameters_b, parts.decode_j_per_token, parts.cache_bytes_per_token]
    letters = [explain.symbol(one) for one in (*FACTORS.constants(), *own) if one]
    assert letters == ["eps", "rho", "h", "jb", "M", "s", "P", "e_d", "KV"]
    for part in (*Constants._fields, *Parameters._fields):
        assert explain.advice(Unknown(None, part))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0035, "0.0035"),
        (1.9e-10, "1.9e-10"),
        (50_000, "50,000"),
        (41.8321, "41.83"),
        (234_508.5, "234,500"),
        (1.0234e12, "1.023e12"),
    ],
)
def test_a_number_has_four_digits_and_no_row_of_zeros(value: float, text: str):
    assert explain.number(value) == text
