package convert

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// RoomInfo puts what the network says of a room into its row.
func RoomInfo(r tables.Room, info transports.RoomInfo) tables.Room {
	r.Name, r.Topic = Name(info.Name), CutBytes(info.Topic, MaxTopic)
	r.Group, r.Space, r.Members = Name(info.Group), info.Space, info.Members
	if info.ID != "" {
		r.Net = info.ID
	}
	if !r.Direct() && (info.Kind == transports.Public || info.Kind == transports.Private) {
		r.Kind = info.Kind
	}
	return r
}

// RoomTitle is what to call a room.
func RoomTitle(r tables.Room) string {
	if r.Name != "" {
		return r.Name
	}
	return string(r.Net)
}

// Archived is an archived message of a room as it was sent, or its tombstone; nil where none is left.
func Archived(roomJID jid.JID, a tables.Archived) *stanza.Stanza {
	if a.Payload == "" {
		return nil
	}
	from, payload := roomJID, a.Payload
	if a.Nick != "" {
		if j, err := roomJID.WithResource(RoomNick(a.Nick)); err == nil {
			from = j
		}
	}
	if a.Occupant != "" {
		payload += stanza.Encode(stanza.NewElement(NSOccupantID, "occupant-id").With("id", a.Occupant))
	}
	payload += stanza.Encode(message.StanzaID(roomJID, a.ID))
	return &stanza.Stanza{Kind: stanza.Message, From: from, ID: a.Message, Type: stanza.TypeGroupchat, Lang: a.Lang, Extra: a.Extra, Payload: payload}
}
