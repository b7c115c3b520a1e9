"""Names of the attributes that an estimate becomes.

A range never goes without what it covers and the factors that it rests on, so all are set together.
"""

from typing import Final

from agenttrace import semconv

ENERGY_LOW_WH: Final = "agenttrace.energy.low_wh"  # 5 % of what is known
ENERGY_CENTRAL_WH: Final = "agenttrace.energy.central_wh"
ENERGY_HIGH_WH: Final = "agenttrace.energy.high_wh"  # 95 %
ENERGY_BOUNDARY: Final = semconv.MEASURED_BOUNDARY  # accelerator, server or facility
MODEL_CLASS: Final = "agenttrace.energy.model_class"  # size class that the model was taken for
# False where nothing is known of the model: the range then spans every class.
MODEL_IS_KNOWN: Final = "agenttrace.energy.model_is_known"
CARBON_LOW_G: Final = "agenttrace.carbon.low_g"  # gCO2e, location-based
CARBON_CENTRAL_G: Final = "agenttrace.carbon.central_g"
CARBON_HIGH_G: Final = "agenttrace.carbon.high_g"
CARBON_ZONE: Final = "agenttrace.carbon.zone"  # of the grid; WOR for the world, if unknown
FACTORS_VERSION: Final = "agenttrace.factors.version"

OURS: Final = frozenset(
    {
        ENERGY_LOW_WH,
        ENERGY_CENTRAL_WH,
        ENERGY_HIGH_WH,
        ENERGY_BOUNDARY,
        MODEL_CLASS,
        MODEL_IS_KNOWN,
        CARBON_LOW_G,
        CARBON_CENTRAL_G,
        CARBON_HIGH_G,
        CARBON_ZONE,
        FACTORS_VERSION,
    }
)
"""All of them."""
