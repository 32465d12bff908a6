"""Inputs that somebody answers wrongly, each with its exact softmax: one table for the core and the compiled stage.

The answers are those of mpmath at 60 digits, rounded to the nearest float64 (tests/core_exact.py, which the tests
compare with again). `mark` says who must answer: "both", or "core" alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy import inf, nan


@dataclasses.dataclass(frozen=True)
class Hard:
    """One input of `softmax`: x and options, and the probabilities they must give."""

    name: str
    x: object
    expected: object
    tau: object = None
    beta: float | None = None
    base: float | None = None
    where: object = None
    log_prior: object = None
    on_empty: str = "raise"
    axis: object = -1

    @property
    def options(self) -> dict[str, object]:
        """What is passed to `softmax` besides x and axis; what is not given is left out."""
        names = ("tau", "beta", "base", "where", "log_prior")
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}

    @property
    def mark(self) -> str:
        """ "both": one float64 row, finite or -inf, one of them allowed, a plain tau, gaps within 1e-290 ... 1e290."""
        x = np.asarray(self.x)
        if set(self.options) - {"tau"} or x.dtype != np.float64 or x.ndim != 1 or np.ndim(self.tau) or not x.size:
            return "core"
        finite = x[x > -inf]
        if not np.all((x == -inf) | np.isfinite(x)) or not finite.size:
            return "core"
        gaps = np.array([float(np.longdouble(finite.max()) - np.longdouble(v)) for v in finite])
        gaps = gaps[gaps > 0.0]
        return "both" if np.all((gaps >= 1e-290) & (gaps <= 1e290)) else "core"


def both() -> list[tuple[np.ndarray, float, np.ndarray]]:
    """Return (values, temperature, probabilities) of the rows that the compiled stage must answer too."""
    rows = [row for row in HARD if row.mark == "both"]
    return [(np.asarray(r.x), 1.0 if r.tau is None else float(r.tau), np.asarray(r.expected)) for r in rows]


HARD = [
    # the order: subtract the best value, then scale
    Hard(
        "three large values", [1000.0, 1001.0, 1002.0], [0.09003057317038046, 0.24472847105479764, 0.6652409557748219]
    ),  # naive exp overflows
    Hard("a gap of 100 far from 0", [600.0, 700.0], [3.720075976020836e-44, 1.0]),  # clipped to +-500 elsewhere: a tie
    Hard("the largest floats", [1e308, -1e308], [1.0, 0.0]),  # their difference overflows
    Hard("the largest floats, equal", [1.7976931348623157e308, 1.7976931348623157e308], [0.5, 0.5]),
    Hard(
        "the largest floats at a huge temperature",
        [1.7e308, -1.7e308],
        [0.8807970779778824, 0.11920292202211756],
        tau=1.7e308,
    ),  # the gap overflows and still matters
    Hard("a huge gap at a large temperature", [1e308, -1e308], [0.9999999979388464, 2.0611536181902025e-09], tau=1e307),
    Hard("a subnormal temperature", [1.0, 2.0, 3.0], [0.0, 0.0, 1.0], tau=1e-310),  # x / tau is infinite
    Hard("the smallest temperature", [1.0, 2.0, 2.0], [0.0, 0.5, 0.5], tau=5e-324),
    Hard("a tiny temperature with ties", [1e10, 2e10, 2e10], [0.0, 0.5, 0.5], tau=1e-300),
    Hard(
        "a tiny temperature, tiny values",
        [1e-300, 2e-300, 3e-300],
        [0.09003057317038045, 0.2447284710547976, 0.6652409557748219],
        tau=1e-300,
    ),
    Hard(
        "subnormal values and temperature",
        [5e-324, 1e-323, 1.5e-323],
        [0.09003057317038046, 0.24472847105479764, 0.6652409557748219],
        tau=5e-324,
    ),
    Hard(
        "the largest finite temperature",
        [1.0, 2.0, 3.0],
        [0.3333333333333333, 0.3333333333333333, 0.3333333333333333],
        tau=1.7976931348623157e308,
    ),
    Hard(
        "an offset of a million",
        [1000000.0, 1000001.5, 1000007.25],
        [1.0648786602415149e-63, 1.1379798735078755e-50, 1.0],
        tau=0.05,
    ),  # x / tau first loses eight digits
    Hard("an offset of a billion", [1000000000.0, 1000000000.5], [0.11920292202211756, 0.8807970779778824], tau=0.25),
    Hard(
        "a negative offset",
        [-10000.0, -9990.5, -9980.25],
        [5.580732596264217e-13, 4.3720765131990575e-07, 0.9999995627917906],
        tau=0.7,
    ),
    Hard(
        "values of CartPole",
        [200.125, 203.5, 204.0625],
        [7.908448344924619e-18, 0.003593602581420091, 0.99640639741858],
        tau=0.1,
    ),
    Hard("quotients beyond 2^60", [3.0, 5.0, 4.0], [0.0, 1.0, 0.0], tau=1e-18),  # compiled with contraction: NaN
    Hard(
        "unit values, tiny temperature", [0.25, 0.75, 0.5], [0.0, 1.0, 0.0], tau=1e-10
    ),  # compiled with contraction: NaN
    Hard("one bit apart", [1.0, 1.0000000000000002], [0.09792939358398013, 0.9020706064160199], tau=1e-16),
    Hard("one bit apart at tau 1", [1.0, 1.0000000000000002], [0.49999999999999994, 0.5]),
    Hard("one bit apart, far out", [4503599627370496.0, 4503599627370497.0], [0.2689414213699951, 0.7310585786300049]),
    Hard(
        "gaps below one bit of the sum",
        [0.0, -1e-20, -2e-20],
        [0.3333333333333333, 0.3333333333333333, 0.3333333333333333],
    ),
    Hard("opposite signs", [-300.0, 300.0, 0.0], [2.953557280266149e-290, 1.0, 1.7185916560562457e-145], tau=0.9),
    # textbook numbers
    Hard("1, 2, 8", [1.0, 2.0, 8.0], [0.000908800555363033, 0.002470376035336821, 0.9966208234093001]),
    Hard(
        "1, 2, 3, 4, 1, 2, 3",
        [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0],
        [
            0.02364054302159139,
            0.06426165851049616,
            0.17468129859572226,
            0.47483299974438037,
            0.02364054302159139,
            0.06426165851049616,
            0.17468129859572226,
        ],
    ),
    Hard(
        "1, 2, 3, 4, 1, 2, 3 at tau 10",
        [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0],
        [
            0.12495304639301283,
            0.138094472998515,
            0.15261799550494154,
            0.1686689702070613,
            0.12495304639301283,
            0.138094472998515,
            0.15261799550494154,
        ],
        tau=10.0,
    ),
    Hard("0, 10", [0.0, 10.0], [4.5397868702434395e-05, 0.9999546021312976], tau=1.0),
    Hard("0, 10 at tau 100", [0.0, 10.0], [0.47502081252106, 0.52497918747894], tau=100.0),
    Hard("0, 1", [0.0, 1.0], [0.2689414213699951, 0.7310585786300049]),
    Hard("0, 2", [0.0, 2.0], [0.11920292202211756, 0.8807970779778824]),
    Hard("one entry", [3.0], [1.0]),
    Hard("one entry, huge", [1e300], [1.0]),
    Hard("one entry, tau 0", [-7.0], [1.0], tau=0.0),
    Hard("one entry, tau infinite", [-7.0], [1.0], tau=inf),
    Hard("zeros", [0.0, 0.0, 0.0], [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]),
    Hard("signed zeros", [0.0, -0.0], [0.5, 0.5]),  # 0 and -0 tie
    Hard("signed zeros, tau 0", [0.0, -0.0], [0.5, 0.5], tau=0.0),
    Hard("minus zero is a temperature", [1.0, 5.0, 5.0], [0.0, 0.5, 0.5], tau=-0.0),
    # the greedy limit
    Hard("greedy 0", [1.0, 5.0, 5.0], [0.0, 0.5, 0.5], tau=0.0),
    Hard("greedy 1", [5.0, 5.0, 5.0], [0.3333333333333333, 0.3333333333333333, 0.3333333333333333], tau=0.0),
    Hard("greedy 2", [1.0, 1.0000000000000002], [0.0, 1.0], tau=0.0),  # not a tie
    Hard("greedy 3", [-inf, -3.0], [0.0, 1.0], tau=0.0),
    Hard("greedy 4", [-1e300, -1e300, -2e300], [0.5, 0.5, 0.0], tau=0.0),
    Hard("greedy 5", [5e-324, 0.0], [1.0, 0.0], tau=0.0),  # not a tie
    Hard("greedy 6", [1e308, -1e308], [1.0, 0.0], tau=0.0),
    # the uniform limit: over the allowed
    Hard("uniform 0", [1.0, -inf, 2.0], [0.5, 0.0, 0.5], tau=inf),
    Hard("uniform 1", [1e300, -1e300], [0.5, 0.5], tau=inf),
    Hard("uniform 2", [0.0, 0.0, -inf, -inf], [0.5, 0.5, 0.0, 0.0], tau=inf),
    Hard("uniform 3", [5e-324, 1e308, -1e308], [0.3333333333333333, 0.3333333333333333, 0.3333333333333333], tau=inf),
    # -inf is never chosen
    Hard("forbidden 0", [0.0, -inf], [1.0, 0.0], tau=1.0),
    Hard("forbidden 1", [-inf, 0.0], [0.0, 1.0], tau=1e-300),
    Hard("forbidden 2", [-1e9, -1e9, -inf], [0.5, 0.5, 0.0], tau=1.0),
    Hard("forbidden 3", [-inf, -inf, 2.0, 3.0], [0.0, 0.0, 0.11920292202211756, 0.8807970779778824], tau=0.5),
    Hard("forbidden 4", [-1e300, -inf], [1.0, 0.0], tau=1e300),
    Hard("forbidden 5", [-700.0, -inf, -701.0], [0.7310585786300049, 0.0, 0.2689414213699951], tau=1.0),
    Hard("forbidden 6", [-inf, 1.0, -inf, 1.0], [0.0, 0.5, 0.0, 0.5], tau=1e308),
    # far tails, gradual underflow
    Hard("tail 0", [0.0, -700.0], [1.0, 9.85967654375977e-305], tau=1.0),
    Hard("tail 1", [0.0, -708.0], [1.0, 3.307553003638408e-308], tau=1.0),
    Hard("tail 2", [0.0, -720.0, -740.0], [1.0, 2.0322308024e-313, 4.2e-322], tau=1.0),
    Hard("tail 3", [0.0, -744.0], [1.0, 1e-323], tau=1.0),
    Hard("tail 4", [0.0, -745.0], [1.0, 5e-324], tau=1.0),
    Hard("tail 5", [0.0, -746.0], [1.0, 0.0], tau=1.0),
    Hard("tail 6", [0.0, -37.0], [0.9999999999999999, 8.533047625744065e-17], tau=1.0),
    Hard("tail 7", [0.0, -36.0], [0.9999999999999998, 2.3195228302435686e-16], tau=1.0),
    Hard("tail 8", [40.0, 0.0], [1.0, 4.248354255291589e-18], tau=1.0),
    Hard("tail 9", [0.0, -40.0], [1.0, 4.248354255291589e-18], tau=1.0),
    Hard("tail 10", [0.0, -800.0], [1.0, 0.0], tau=1.0),
    Hard(
        "tail 11",
        [0.0, -1.0, -30.0, -300.0],
        [0.8807970779778824, 0.11920292202211756, 7.712709093064974e-27, 2.334461539368849e-261],
        tau=0.5,
    ),
    Hard("tail 12", [-0.001, -745.0], [1.0, 5e-324], tau=1.0),
    # many temperatures for one row
    Hard("octave -40", [0.5, -1.25, 2.0, 0.75], [0.0, 0.0, 1.0, 0.0], tau=9.094947017729282e-13),
    Hard("octave -20", [0.5, -1.25, 2.0, 0.75], [0.0, 0.0, 1.0, 0.0], tau=9.5367431640625e-07),
    Hard("octave -10", [0.5, -1.25, 2.0, 0.75], [0.0, 0.0, 1.0, 0.0], tau=0.0009765625),
    Hard(
        "octave -7",
        [0.5, -1.25, 2.0, 0.75],
        [4.125337404615185e-84, 2.1552394518322364e-181, 1.0, 3.257488532207521e-70],
        tau=0.0078125,
    ),
    Hard(
        "octave -5",
        [0.5, -1.25, 2.0, 0.75],
        [1.4251640827409352e-21, 6.813556821545298e-46, 1.0, 4.248354255291589e-18],
        tau=0.03125,
    ),
    Hard(
        "octave -3",
        [0.5, -1.25, 2.0, 0.75],
        [6.143895671465185e-06, 5.1088256979994e-12, 0.9999484585094373, 4.539758978243345e-05],
        tau=0.125,
    ),
    Hard(
        "octave -2",
        [0.5, -1.25, 2.0, 0.75],
        [0.00245610940353493, 2.2396818705123626e-06, 0.9908652533542581, 0.006676397560336385],
        tau=0.25,
    ),
    Hard(
        "octave -1",
        [0.5, -1.25, 2.0, 0.75],
        [0.04392813158232189, 0.0013265146324174327, 0.8823201088633725, 0.07242524492188816],
        tau=0.5,
    ),
    Hard(
        "octave 1",
        [0.5, -1.25, 2.0, 0.75],
        [0.21426992767217012, 0.08932099480578876, 0.45360944044158075, 0.24279963708046035],
        tau=2.0,
    ),
    Hard(
        "octave 2",
        [0.5, -1.25, 2.0, 0.75],
        [0.24008829103057383, 0.15501265131648087, 0.349326402199841, 0.25557265545310426],
        tau=4.0,
    ),
    Hard(
        "octave 3",
        [0.5, -1.25, 2.0, 0.75],
        [0.24743311460401327, 0.19881809306251708, 0.298461307543809, 0.2552874847896606],
        tau=8.0,
    ),
    Hard(
        "octave 5",
        [0.5, -1.25, 2.0, 0.75],
        [0.24983666490784948, 0.23654060013842315, 0.26182657679727084, 0.2517961581564565],
        tau=32.0,
    ),
    Hard(
        "octave 7",
        [0.5, -1.25, 2.0, 0.75],
        [0.24998975805958715, 0.24659518728574517, 0.2529365582206674, 0.2504784964340003],
        tau=128.0,
    ),
    Hard(
        "octave 10",
        [0.5, -1.25, 2.0, 0.75],
        [0.24999983983168497, 0.2495729588819933, 0.25036631888630817, 0.25006088240001356],
        tau=1024.0,
    ),
    Hard(
        "octave 20",
        [0.5, -1.25, 2.0, 0.75],
        [0.24999999999984723, 0.24999958276768197, 0.2500003576279717, 0.2500000596044991],
        tau=1048576.0,
    ),
    Hard(
        "octave 40",
        [0.5, -1.25, 2.0, 0.75],
        [0.25, 0.2499999999996021, 0.25000000000034106, 0.25000000000005684],
        tau=1099511627776.0,
    ),
    Hard("octave 100", [0.5, -1.25, 2.0, 0.75], [0.25, 0.25, 0.25, 0.25], tau=1.2676506002282294e30),
    Hard("octave 1000", [0.5, -1.25, 2.0, 0.75], [0.25, 0.25, 0.25, 0.25], tau=1.0715086071862673e301),
    Hard(
        "tau 0.1",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [
            0.001237278507682277,
            1.0288326126674177e-09,
            0.49915377556875273,
            0.00045516932597959223,
            0.49915377556875273,
        ],
        tau=0.1,
    ),
    Hard(
        "tau 0.3",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [0.06059119897676234, 0.0005697731296480769, 0.4477117683407664, 0.04341549121205676, 0.4477117683407664],
        tau=0.3,
    ),
    Hard(
        "tau 0.05",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [3.07209546159286e-06, 2.1241697188168183e-18, 0.4999982560708145, 4.1576290942458234e-07, 0.4999982560708145],
        tau=0.05,
    ),
    Hard(
        "tau 0.7",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [0.1489192172671998, 0.020154024448231146, 0.35091598999376894, 0.12909477829703114, 0.35091598999376894],
        tau=0.7,
    ),
    Hard(
        "tau 3.3",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [0.19907593090900186, 0.13024846428717826, 0.23877089554132264, 0.1931338137211746, 0.23877089554132264],
        tau=3.3,
    ),
    Hard(
        "tau 1e-3",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [1.3251982765021278e-261, 0.0, 0.5, 4.929838271879903e-305, 0.5],
        tau=1e-3,
    ),
    Hard("tau 1e-5", [0.3, -1.1, 0.9, 0.2, 0.9], [0.0, 0.0, 0.5, 0.0, 0.5], tau=1e-5),
    Hard(
        "tau 12.5",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [0.2006252492720295, 0.17936785202123567, 0.2104901242533704, 0.199026650199994, 0.2104901242533704],
        tau=12.5,
    ),
    Hard(
        "tau 1e5",
        [0.3, -1.1, 0.9, 0.2, 0.9],
        [0.200000119994692, 0.199997320012612, 0.200001319999012, 0.199999919994672, 0.200001319999012],
        tau=1e5,
    ),
    Hard("tau 1e-100", [0.3, -1.1, 0.9, 0.2, 0.9], [0.0, 0.0, 0.5, 0.0, 0.5], tau=1e-100),
    Hard("tau 1e100", [0.3, -1.1, 0.9, 0.2, 0.9], [0.2, 0.2, 0.2, 0.2, 0.2], tau=1e100),
    # many shapes of rows
    Hard("2 entries", [0.567, -1.568], [0.9991891908065763, 0.0008108091934236846], tau=0.3),
    Hard(
        "3 entries",
        [6.123, -7.667, 1.254],
        [0.9999999105870302, 1.0887552854767571e-20, 8.941296978335506e-08],
        tau=0.3,
    ),
    Hard(
        "5 entries",
        [-2.406, -3.973, -0.745, 1.261, 3.408],
        [3.828547605531244e-09, 2.063332447405523e-11, 9.718020997716305e-07, 0.000779040917649733, 0.9992199834310695],
        tau=0.3,
    ),
    Hard(
        "7 entries",
        [0.004, 0.896, -0.822, -2.672, -1.364, -2.975, 0.18],
        [
            0.044584448004932754,
            0.8719380973473815,
            0.0028407035928244735,
            5.9604165987729e-06,
            0.0004664451229877536,
            2.170896851426236e-06,
            0.08016217461842329,
        ],
        tau=0.3,
    ),
    Hard(
        "8 entries",
        [-5.215, -4.01, -4.083, -1.055, -6.938, -0.567, -2.872, 2.681],
        [
            3.70987186877023e-12,
            2.0595629909518178e-10,
            1.614718255486621e-10,
            3.9045925919623164e-06,
            1.1886689978644775e-14,
            1.9862233502842476e-05,
            9.145318054715273e-09,
            0.9999762236574372,
        ],
        tau=0.3,
    ),
    Hard(
        "9 entries",
        [-2.409, 0.729, -4.969, 1.968, 3.43, -1.358, 1.291, 0.753, -1.183],
        [
            3.4947612180120353e-09,
            0.0001219376408329821,
            6.877616073588532e-13,
            0.007581829234559704,
            0.9913700027794747,
            1.1611700954233023e-07,
            0.0007938091814038014,
            0.00013209346937716348,
            2.0808189308954258e-07,
        ],
        tau=0.3,
    ),
    Hard(
        "10 entries",
        [-3.31, -2.175, -2.345, 0.801, -0.746, 0.379, 2.529, 2.574, 1.426, -1.352],
        [
            1.6088755788926606e-09,
            7.072993344910318e-08,
            4.01331310321235e-08,
            0.001438151073961759,
            8.28500226682125e-06,
            0.00035228726075821245,
            0.45639484005317615,
            0.5302551533782777,
            0.011550071708790428,
            1.099050828895035e-06,
        ],
        tau=0.3,
    ),
    Hard("32 equal entries", [0.0] * 32, [1 / 32] * 32),
    Hard("33 equal entries", [2.5] * 33, [1 / 33] * 33, tau=0.1),
    Hard("100 equal seconds", [0.0] + [-inf] * 99, [1.0] + [0.0] * 99),
    Hard("1000 ties, greedy", [1.0] * 1000 + [0.0], [1 / 1000] * 1000 + [0.0], tau=0.0),
    Hard("2 ** 12 equal entries", [-3.0] * 4096, [1 / 4096] * 4096),
    Hard("the last of 300", [0.0] * 299 + [1000.0], [0.0] * 299 + [1.0]),
    # +inf shares among the infinite ones; tau infinite forgets even that
    Hard("one infinite", [inf, 0.0], [1.0, 0.0]),
    Hard("two infinite", [inf, inf, 0.0], [0.5, 0.5, 0.0]),
    Hard("infinite and forbidden", [inf, -inf], [1.0, 0.0]),
    Hard("infinite at tau infinite", [inf, 0.0, -inf], [0.5, 0.5, 0.0], tau=inf),
    Hard("infinite at tau 0", [inf, 5.0, inf], [0.5, 0.0, 0.5], tau=0.0),
    Hard("infinite, negative beta", [inf, 0.0], [0.0, 1.0], beta=-2.0),
    Hard("all infinite, negative beta", [inf, inf], [0.5, 0.5], beta=-2.0),
    Hard("infinite beta, infinite value", [inf, 3.0], [1.0, 0.0], beta=inf),
    Hard("only infinite is allowed, negative beta", [inf, -inf], [1.0, 0.0], beta=-1.0),
    # beta: any real number
    Hard("beta infinite, ties", [1.0, 5.0, 5.0], [0.0, 0.5, 0.5], beta=inf),
    Hard("beta minus infinity, ties", [1.0, 1.0, 5.0], [0.5, 0.5, 0.0], beta=-inf),
    Hard("beta 0", [1.0, -inf, 2.0], [0.5, 0.0, 0.5], beta=0.0),
    Hard("beta -0", [1.0, 2.0], [0.5, 0.5], beta=-0.0),
    Hard(
        "beta negative, forbidden", [1.0, -inf, 2.0], [0.8807970779778824, 0.0, 0.11920292202211756], beta=-2.0
    ),  # -2 * -inf is +inf elsewhere
    Hard("beta 2", [0.5, 1.0], [0.2689414213699951, 0.7310585786300049], beta=2.0),
    Hard("beta huge", [1.0, 2.0], [0.0, 1.0], beta=1e308),
    Hard("beta tiny", [1e308, -1e308], [0.8807970779778824, 0.11920292202211757], beta=1e-308),
    Hard("beta negative, huge values", [1e308, -1e308], [0.11920292202211757, 0.8807970779778824], beta=-1e-308),
    Hard("beta subnormal", [1.0, 2.0], [0.5, 0.5], beta=5e-324),
    Hard("beta whole", [1.0, 2.0, 3.0], [0.6652409557748219, 0.24472847105479764, 0.09003057317038046], beta=-1),
    Hard("beta minus infinity, forbidden", [1.0, -inf, 0.5], [0.0, 0.0, 1.0], beta=-inf),
    # base
    Hard("base 2", [1.0, 2.0, 3.0], [0.14285714285714285, 0.2857142857142857, 0.5714285714285714], base=2.0),
    Hard("base 10", [0.0, 1.0, -inf], [0.0909090909090909, 0.9090909090909091, 0.0], base=10.0),
    Hard("base below 1", [1.0, 2.0], [0.6666666666666666, 0.3333333333333333], base=0.5),
    Hard("base 1", [1.0, 5.0, -inf], [0.5, 0.5, 0.0], base=1.0),
    Hard("base infinite", [1.0, 5.0, 5.0], [0.0, 0.5, 0.5], base=inf),
    # masks
    Hard(
        "NaN under the mask", [nan, 1.0, 2.0], [0.0, 0.2689414213699951, 0.7310585786300049], where=[False, True, True]
    ),
    Hard(
        "infinity under the mask",
        [inf, 1.0, 2.0],
        [0.0, 0.2689414213699951, 0.7310585786300049],
        where=[False, True, True],
    ),
    Hard(
        "1e30 under the mask",
        [0.0, 1e30, 1.0],
        [0.2689414213699951, 0.0, 0.7310585786300049],
        where=[True, False, True],
    ),
    Hard(
        "allowed values below any -1e8", [-1e9, -1e9, 0.0], [0.5, 0.5, 0.0], where=[True, True, False]
    ),  # a mask of -1e8 draws the forbidden one
    Hard("mask at tau infinite", [5.0, 1.0, 2.0], [0.0, 0.5, 0.5], where=[False, True, True], tau=inf),
    Hard("mask at tau 0", [5.0, 1.0, 1.0], [0.0, 0.5, 0.5], where=[False, True, True], tau=0.0),
    Hard("mask and -inf", [5.0, 1.0, -inf], [0.0, 1.0, 0.0], where=[False, True, True]),
    Hard(
        "mask, negative beta",
        [5.0, 1.0, 2.0],
        [0.04742587317756678, 0.0, 0.9525741268224333],
        where=[True, False, True],
        beta=-1.0,
    ),
    Hard("mask of one", [5.0, 1.0, 2.0], [0.0, 0.0, 1.0], where=[False, False, True]),
    Hard(
        "mask keeps all",
        [5.0, 1.0, 2.0],
        [0.9362395518765058, 0.01714782554552039, 0.04661262257797389],
        where=[True, True, True],
    ),
    Hard("all masked, nan", [1.0, 2.0], [nan, nan], where=[False, False], on_empty="nan"),
    Hard("all masked, zeros", [1.0, 2.0], [0.0, 0.0], where=[False, False], on_empty="zeros"),
    Hard("all forbidden, nan", [-inf, -inf], [nan, nan], on_empty="nan"),
    Hard("all forbidden, zeros", [-inf, -inf], [0.0, 0.0], on_empty="zeros"),
    Hard("all forbidden, zeros, tau infinite", [-inf, -inf], [0.0, 0.0], on_empty="zeros", tau=inf),
    Hard("all forbidden, nan, tau 0", [-inf, -inf], [nan, nan], on_empty="nan", tau=0.0),
    Hard("on_empty does not touch others", [1.0, 1.0], [0.5, 0.5], on_empty="zeros"),
    # NaN: that row, no other; masked entries stay 0
    Hard("NaN", [nan, 1.0], [nan, nan]),
    Hard("NaN beside a good row", [[nan, 1.0], [0.0, 0.0]], [[nan, nan], [0.5, 0.5]]),
    Hard("NaN at tau infinite", [nan, 1.0], [nan, nan], tau=inf),
    Hard("NaN at tau 0", [1.0, nan], [nan, nan], tau=0.0),
    Hard("NaN and infinity", [nan, inf], [nan, nan]),
    Hard("NaN and a mask", [nan, 1.0, 2.0], [nan, nan, 0.0], where=[True, True, False]),
    Hard("NaN and forbidden", [nan, -inf], [nan, nan]),
    Hard("NaN last", [1.0, 2.0, nan], [nan, nan, nan]),
    # prior: prior * exp(x / tau)
    Hard("prior alone", [0.0, 0.0, 0.0], [0.2689414213699951, 0.7310585786300049, 0.0], log_prior=[-1.0, 0.0, -inf]),
    Hard(
        "prior and values",
        [1.0, 2.0, 3.0],
        [0.3333333333333333, 0.3333333333333333, 0.3333333333333333],
        log_prior=[3.0, 2.0, 1.0],
    ),
    Hard(
        "prior at tau 0",
        [5.0, 5.0, 1.0],
        [0.7310585786300049, 0.2689414213699951, 0.0],
        log_prior=[1.0, 0.0, 9.0],
        tau=0.0,
    ),  # ties in proportion
    Hard(
        "prior at tau infinite",
        [5.0, 1.0, -inf],
        [0.7310585786300049, 0.2689414213699951, 0.0],
        log_prior=[1.0, 0.0, 9.0],
        tau=inf,
    ),
    Hard("the best has prior 0", [9.0, 1.0, 1.0], [0.0, 0.5, 0.5], log_prior=[-inf, 0.0, 0.0], tau=0.0),
    Hard("huge prior", [0.0, 1.0], [1.0, 0.0], log_prior=[1e300, 0.0]),
    Hard("prior with beta", [0.0, 1.0], [0.9525741268224333, 0.04742587317756678], log_prior=[1.0, 0.0], beta=-2.0),
    # types
    Hard(
        "int8 that wraps", np.array([127, -128], np.int8), [1.0, 1.7984862202794635e-111]
    ),  # the wrong way round elsewhere
    Hard("uint8 that wraps", np.array([0, 255], np.uint8), [1.7984862202794635e-111, 1.0]),
    Hard("int64 that wraps", np.array([2**63 - 1, -(2**63)]), [1.0, 0.0]),
    Hard(
        "int64 beyond 2^53", np.array([2**53, 2**53 + 1]), [0.2689414213699951, 0.7310585786300049]
    ),  # equal as floats
    Hard("uint64 beyond 2^63", np.array([2**64 - 1, 2**64 - 3], np.uint64), [0.8807970779778824, 0.11920292202211756]),
    Hard("int64 beyond 2^53, negative beta", np.array([2**62, 2**62 + 2, 0]), [0.0, 0.0, 1.0], beta=-1.0),
    Hard(
        "int64 beyond 2^53, masked",
        np.array([2**63 - 1, 2**60 + 1, 2**60]),
        [0.0, 0.7310585786300049, 0.2689414213699951],
        where=[False, True, True],
    ),
    Hard(
        "int64 far apart at a huge temperature",
        np.array([2**63 - 1, -(2**63)]),
        [0.8807970779778824, 0.11920292202211756],
        tau=2.0**63,
    ),
    Hard("whole numbers", [3, 1, 2], [0.6652409557748219, 0.09003057317038046, 0.24472847105479764]),
    Hard("booleans", [True, False], [0.7310585786300049, 0.2689414213699951]),
    Hard("int16", np.array([300, 301], np.int16), [0.37754066879814546, 0.6224593312018546], tau=2),
    Hard("uint32", np.array([0, 4294967295], np.uint32), [0.2689414213699951, 0.7310585786300049], tau=4294967295.0),
    Hard("float16", np.array([3.0, 12.0], np.float16), [0.0, 1.0], tau=1e-4),
    Hard(
        "float16 with a long sum", np.zeros(70000, np.float16), [np.float16(1 / 70000)] * 70000
    ),  # sums in float16 overflow: all 0
    Hard(
        "float16 values",
        np.array([0.5, 1.5, -2.0], np.float16),
        [0.2631324936512963, 0.715268275969434, 0.02159923037926972],
    ),
    Hard(
        "float16 subnormal results",
        np.array([0.0, -15.0, -17.0], np.float16),
        [0.999999652698423, 3.0590221426146747e-07, 4.139936280978268e-08],
    ),
    Hard(
        "float32",
        np.array([0.1, 0.2, 0.7], np.float32),
        [0.0024561152305891333, 0.006676413499398252, 0.9908674712700126],
        tau=0.1,
    ),
    Hard("float32 offset", np.array([1e6, 1e6 + 1], np.float32), [2.061153618190206e-09, 0.9999999979388464], tau=0.05),
    Hard("float32 beyond 2^31", np.array([3.0, 5.0, 4.0], np.float32), [0.0, 1.0, 0.0], tau=1e-12),
    Hard("float32 largest", np.array([3e38, -3e38], np.float32), [0.9975273768704858, 0.002472623129514243], tau=1e38),
    Hard(
        "float32 subnormal results",
        np.array([0.0, -90.0, -100.0], np.float32),
        [1.0, 8.194012623990515e-40, 3.720075976020836e-44],
    ),
    Hard(
        "float32 mask",
        np.array([np.nan, 0.0, 1.0], np.float32),
        [0.0, 0.2689414213699951, 0.7310585786300049],
        where=[False, True, True],
    ),
    Hard(
        "big-endian float32",
        np.array([0.1, 0.2, 0.7], ">f4"),
        [0.25462852946674486, 0.28140804609834513, 0.46396342443491],
    ),
    Hard(
        "big-endian float64",
        np.array([0.1, 0.2, 0.7], ">f8"),
        [0.25462852798915997, 0.2814080440460307, 0.4639634279648093],
    ),
    Hard(
        "big-endian int32",
        np.array([1, 2, 300], ">i4"),
        [0.04567099971441222, 0.046130000892443054, 0.9081989993931447],
        tau=100,
    ),
    Hard(
        "longdouble",
        np.array([0.5, 1.5, -2.0], np.longdouble),
        [0.2631324936512963, 0.715268275969434, 0.02159923037926972],
    ),
    Hard(
        "longdouble, far out",
        np.array([1e300, 2e300], np.longdouble),
        [0.2689414213699951, 0.7310585786300049],
        tau=1e300,
    ),
    # shapes
    Hard("empty", np.zeros(0), np.zeros(0)),
    Hard("three empty rows", np.zeros((3, 0)), np.zeros((3, 0))),
    Hard("no rows", np.zeros((0, 3)), np.zeros((0, 3))),
    Hard("a number", 1000.0, 1.0),
    Hard("a number, every axis", -3.5, 1.0, axis=None),
    Hard("axis 0", [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]], [[1 / 3, 1 / 3], [1 / 3, 1 / 3], [1 / 3, 1 / 3]], axis=0),
    Hard("every axis", [[0.0, 0.0], [0.0, 0.0]], [[0.25, 0.25], [0.25, 0.25]], axis=None),
    Hard("two axes", np.zeros((2, 3, 4)), np.full((2, 3, 4), 1 / 8), axis=(0, 2)),
    Hard(
        "one temperature per row",
        [[1.0, 5.0, 5.0]] * 3,
        [[0.25, 0.375, 0.375], [0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]],
        tau=[4.0 / np.log(1.5), 0.0, inf],
    ),
    Hard("temperatures make rows", [1.0, 5.0, 5.0], [[0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]], tau=[0.0, inf]),
    Hard("a mask makes rows", [1.0, 1.0], [[1.0, 0.0], [0.5, 0.5]], where=[[True, False], [True, True]]),
    Hard(
        "negative strides",
        np.array([8.0, 2.0, 1.0])[::-1],
        [0.000908800555363033, 0.002470376035336821, 0.9966208234093001],
    ),
    Hard(
        "every second",
        np.array([1.0, 9.0, 2.0, 9.0, 8.0])[::2],
        [0.000908800555363033, 0.002470376035336821, 0.9966208234093001],
    ),
]
