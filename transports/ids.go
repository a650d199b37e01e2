package transports

// The ids of a network are the network's own, as it gives them: any text in UTF-8 without NUL, in any
// case; a network whose ids are other bytes writes them in hexadecimal digits. The bridge compares ids byte by
// byte and reads nothing into them; where one becomes the localpart of an address it is escaped so that
// it can be read back from there. They are unique within one kind of network: where it has
// workspaces, the workspace is part of the id ("T024BE7LD-C0G9QF9GW").
type (
	// RoomID is a channel, a group, a thread that is a room of its own, or the conversation of two people.
	RoomID string
	// UserID is a person or a bot.
	UserID string
	// MessageID is a message within its room.
	MessageID string
	// PartID is one part of a message that the network shows as several, such as a text and two
	// pictures under one id. The first part has none.
	PartID string
	// SpaceID is a workspace or a guild.
	SpaceID string
	// LoginID is the bridge's id of a login.
	LoginID string
	// OwnerID names the XMPP user who owns a login. It is opaque: the same for the same user, and not their address.
	OwnerID string
)

// MessageRef names one message, or one part of it, in its room.
type MessageRef struct {
	Room RoomID
	ID   MessageID
	Part PartID
}
