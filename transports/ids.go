package transports

// The ids of a network. They are the network's own, in the lower case form that the
// network's folder chose, so that they survive as localparts; nothing else may be
// read into them outside that folder. They are unique within one kind of network:
// where it has workspaces, the workspace is part of the id ("t024be7ld-c0g9qf9gw").
type (
	// RoomID is a channel, a group or the conversation of two people.
	RoomID string
	// UserID is a person or a bot.
	UserID string
	// MessageID is a message within its room.
	MessageID string
	// SpaceID is a workspace or a guild.
	SpaceID string
	// LoginID is ours: one login.
	LoginID string
)
