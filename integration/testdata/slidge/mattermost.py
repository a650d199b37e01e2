"""matteridge without the picture of the gateway, which is on the Internet."""

from matteridge import *  # noqa: F403 (slidge finds the classes)
from matteridge.gateway import Gateway

Gateway.COMPONENT_AVATAR = None
