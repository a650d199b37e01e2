package fake

// Intents are the groups of events that a session asks for. (events/gateway.mdx, Gateway Intents)
type Intents int

// The intents that this fake server has events for, and the others that a client may name.
const (
	IntentGuilds          Intents = 1 << 0
	IntentMembers         Intents = 1 << 1 // privileged
	IntentModeration      Intents = 1 << 2
	IntentExpressions     Intents = 1 << 3
	IntentIntegrations    Intents = 1 << 4
	IntentWebhooks        Intents = 1 << 5
	IntentInvites         Intents = 1 << 6
	IntentVoiceStates     Intents = 1 << 7
	IntentPresences       Intents = 1 << 8 // privileged
	IntentMessages        Intents = 1 << 9
	IntentReactions       Intents = 1 << 10
	IntentTyping          Intents = 1 << 11
	IntentDirectMessages  Intents = 1 << 12
	IntentDirectReactions Intents = 1 << 13
	IntentDirectTyping    Intents = 1 << 14
	IntentContent         Intents = 1 << 15 // privileged
	IntentScheduledEvents Intents = 1 << 16
	IntentAutoModConfig   Intents = 1 << 20
	IntentAutoModAction   Intents = 1 << 21
	IntentPolls           Intents = 1 << 24
	IntentDirectPolls     Intents = 1 << 25
)

// PrivilegedIntents have to be switched on for an application before it may ask for them.
const PrivilegedIntents = IntentMembers | IntentPresences | IntentContent

// allIntents are the valid bits: any other closes the connection with 4013.
const allIntents = 1<<17 - 1 | IntentAutoModConfig | IntentAutoModAction | IntentPolls | IntentDirectPolls

// The application flags that show which privileged intents are on, for apps in fewer
// than 100 guilds. (resources/application.mdx, Application Flags)
const (
	flagPresenceLimited = 1 << 13
	flagMembersLimited  = 1 << 15
	flagContentLimited  = 1 << 19
)

func (i Intents) flags() int {
	flags := 0
	if i&IntentPresences != 0 {
		flags |= flagPresenceLimited
	}
	if i&IntentMembers != 0 {
		flags |= flagMembersLimited
	}
	if i&IntentContent != 0 {
		flags |= flagContentLimited
	}
	return flags
}
