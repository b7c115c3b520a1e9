"""Attribute names and values, spelt as the OpenTelemetry GenAI conventions spell them.

Written names follow semantic-conventions-genai as of November 2026 (``cache_write``, inclusive
input and output); what the conventions do not have is ``agenttrace.*``. Older and other spellings
are read by the fold, which keeps the table of them.

Source: <https://github.com/open-telemetry/semantic-conventions-genai>
"""

from typing import Final

# The structure of a run. The task id travels in baggage under the same name.
TASK_ID: Final = "task.id"
KIND: Final = "agenttrace.kind"  # task | agent | tool | step | inference | fact
TASK_NAME: Final = "agenttrace.task.name"  # on every span of the task, for its root may never end
WORKLOAD: Final = "agenttrace.workload"  # agentic | user-facing, on the root span of a task only
HEADLESS: Final = "agenttrace.headless"  # nobody reads the answer; on the root span of a task only
PROJECT: Final = "agenttrace.project"  # on the root span of a task only
# Facts about a task that are told while it runs or afterwards, each by a record of kind "fact".
USER_TURNS: Final = "agenttrace.user_turns"  # prompts by a person
USER_HASH: Final = "agenttrace.user.hash"  # who prompted, as a hash with the key of the home
TASK_OUTCOME: Final = "agenttrace.task.outcome"  # success | failure | abandoned
OUTCOME_REFERENCE: Final = "agenttrace.task.outcome.reference"  # what it can be looked up by
BRANCH: Final = "vcs.ref.head.name"  # of the repository that a task works in
ROLE: Final = "agenttrace.role"
VISIBLE: Final = "agenttrace.visible"
AGENT_SPAN_ID: Final = "agenttrace.agent.span_id"  # the nearest enclosing agent
AGENT_DEPTH: Final = "agenttrace.agent.depth"  # agents around the call: 0 none, 1 root agent, ...
OPERATION_ID: Final = "agenttrace.operation.id"  # attempts of one operation share it
ATTEMPT: Final = "agenttrace.attempt"  # 1 is the first
WIRE_CALLS: Final = "agenttrace.wire_calls"  # on a frame: calls that the meter saw directly inside
CAPTURE: Final = "agenttrace.capture"  # wire | frame | otlp | log | result
USAGE: Final = "agenttrace.usage"  # reported | partial | estimated | missing
# How the response ended: complete, incomplete or abandoned; cached: no model was asked, no call.
OUTCOME: Final = "agenttrace.outcome"
CACHE_WRITE_1H_TOKENS: Final = "agenttrace.usage.cache_write_1h.input_tokens"

CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
TOOL_NAME: Final = "gen_ai.tool.name"
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_ID: Final = (
    "agenttrace.request.id"  # the provider's id of the request, beside the response's
)
REQUEST_STREAM: Final = "gen_ai.request.stream"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"  # inclusive: cache reads and writes are in it
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"  # inclusive: reasoning is in it
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_AUDIO_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
OUTPUT_AUDIO_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
INPUT_IMAGE_TOKENS: Final = "gen_ai.usage.image.input_tokens"
OUTPUT_IMAGE_TOKENS: Final = "gen_ai.usage.image.output_tokens"
COST_USD: Final = "agenttrace.cost_usd"  # as the provider reports it, US dollars
MEASURED_J: Final = "agenttrace.energy.measured_j"  # joules that a meter saw for this call alone
MEASURED_BOUNDARY: Final = "agenttrace.energy.boundary"  # accelerator, server or facility
UPSTREAM_PROVIDER: Final = "agenttrace.upstream_provider"  # who served a call to a router of models

CLOUD_REGION: Final = "cloud.region"
ERROR_TYPE: Final = "error.type"
HTTP_STATUS: Final = "http.response.status_code"
SERVER_ADDRESS: Final = "server.address"
SERVICE_NAME: Final = "service.name"
HOST_NAME: Final = "host.name"
PROCESS_PID: Final = "process.pid"

# Values of OPERATION_NAME.
CHAT: Final = "chat"
EMBEDDINGS: Final = "embeddings"
TEXT_COMPLETION: Final = "text_completion"
GENERATE_CONTENT: Final = "generate_content"
RERANK: Final = "rerank"
MODERATION: Final = "moderation"
IMAGE_GENERATION: Final = "image_generation"
SPEECH: Final = "speech"
TRANSCRIPTION: Final = "transcription"
CLASSIFY: Final = "classify"
CREATE_CACHE: Final = "create_cache"  # writes to a prompt cache, without an answer
FETCH_RESPONSE: Final = "fetch_response"  # tells of calls that were made before; is none itself
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"

# What instrumentations and frameworks call a provider, in lower case -> PROVIDER_NAME.
PROVIDERS: Final = {
    "amazon_bedrock": "aws.bedrock",
    "anthropic_bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "ibm": "ibm.watsonx.ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "sagemaker": "aws.sagemaker",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
