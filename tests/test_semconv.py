"""The names are those of the conventions, so far as these have any."""

from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import GenAiProviderNameValues

from agenttrace import semconv

CONVENTIONS = {value.value for value in GenAiProviderNameValues}
WITHOUT_A_NAME = {"aws.sagemaker"}  # made as the conventions make theirs


def test_every_other_name_of_a_provider_leads_to_one_of_the_conventions() -> None:
    assert set(semconv.PROVIDERS.values()) <= CONVENTIONS | WITHOUT_A_NAME


def test_no_name_of_the_conventions_is_taken_for_another() -> None:
    assert not CONVENTIONS & semconv.PROVIDERS.keys()
