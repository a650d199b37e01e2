package pubsub

// AccessModel says who may subscribe and retrieve items (XEP-0060 §4.5).
type AccessModel string

// The access models.
const (
	Open      AccessModel = "open"
	Presence  AccessModel = "presence"
	Roster    AccessModel = "roster"
	Authorize AccessModel = "authorize"
	Whitelist AccessModel = "whitelist"
)

// Values of fields with a choice.
const (
	publishers  = "publishers"
	subscribers = "subscribers"

	never      = "never"
	onSub      = "on_sub"
	onPresence = "on_sub_and_presence"

	replyPublisher = "publisher"
	replyNone      = "none"

	retractOldest = "retract-oldest"
	discardOldest = "discard-oldest"
	rejectNew     = "reject"
)

// Max stands for the largest number that the service allows, as in the forms (pubsub#max_items).
const Max = 0

// Config is the configuration of a node. Its JSON is stored.
type Config struct {
	Title         string      `json:"title,omitempty"`
	Description   string      `json:"description,omitempty"`
	Type          string      `json:"type,omitempty"`
	Access        AccessModel `json:"access"`
	Groups        []string    `json:"groups,omitempty"` // of the roster, for access model roster
	Publish       string      `json:"publish"`          // publishers, subscribers or open
	Persist       bool        `json:"persist,omitempty"`
	MaxItems      int         `json:"max_items"`        // or Max
	Expire        int         `json:"expire,omitempty"` // seconds, or Max
	Full          string      `json:"full,omitempty"`
	Payloads      bool        `json:"payloads,omitempty"`
	Notifications bool        `json:"notifications,omitempty"`
	NotifyConfig  bool        `json:"notify_config,omitempty"`
	NotifyDelete  bool        `json:"notify_delete,omitempty"`
	NotifyRetract bool        `json:"notify_retract,omitempty"`
	NotifySub     bool        `json:"notify_sub,omitempty"` // owners learn who subscribes and unsubscribes
	ItemReply     string      `json:"itemreply,omitempty"`  // publisher, for which "" stands, or none
	SendLast      string      `json:"send_last"`
	MessageType   string      `json:"message_type"` // of notifications
	Available     bool        `json:"available,omitempty"`
	MaxPayload    int         `json:"max_payload,omitempty"` // bytes, or Max
	Subscribe     bool        `json:"subscribe,omitempty"`
}

// AccountDefaults is the configuration of a new node of an account (XEP-0163 §4.3): its contacts see the last item.
func AccountDefaults() Config {
	return Config{
		Access: Presence, Publish: publishers, Persist: true, MaxItems: 1, Full: discardOldest, Payloads: true, Notifications: true,
		NotifyDelete: true, NotifyRetract: true, SendLast: onPresence, MessageType: "headline", Available: true, Subscribe: true,
	}
}

// ServiceDefaults is the configuration of a new node of a domain.
func ServiceDefaults() Config {
	return Config{
		Access: Open, Publish: publishers, Persist: true, MaxItems: Max, Full: retractOldest, Payloads: true, Notifications: true,
		NotifyDelete: true, NotifyRetract: true, SendLast: never, MessageType: "headline", Subscribe: true,
	}
}

// Limits bound what a service keeps.
type Limits struct {
	Nodes         int   // of one service
	Items         int   // of one node
	Bytes         int64 // of all items of one service
	Payload       int   // bytes of one item
	Subscriptions int   // of one node
}

// items returns how many items the node keeps.
func (c *Config) items(l Limits) int {
	if c.MaxItems == Max {
		return l.Items
	}
	return min(c.MaxItems, l.Items)
}

// payload returns the largest payload of the node.
func (c *Config) payload(l Limits) int {
	if c.MaxPayload == Max {
		return l.Payload
	}
	return min(c.MaxPayload, l.Payload)
}
