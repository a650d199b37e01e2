package convert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Addresses derives the JIDs and stanza ids of one gateway from the network's ids, so that they are the same after a
// restart and for every login.
type Addresses struct{ Domain jid.JID }

// Contact returns the JID of a person of the network.
func (a Addresses) Contact(id transports.UserID) (jid.JID, error) {
	return jid.New(jid.EscapeBytes(string(id)), a.Domain.Domain(), "")
}

// Room returns the JID of a room of the network.
func (a Addresses) Room(id transports.RoomID) (jid.JID, error) {
	return jid.New(jid.EscapeBytes(string(id)), a.Domain.Domain(), "")
}

// NetworkID is the id of a person or room of the network that an address stands for.
func NetworkID(j jid.JID) string { return jid.UnescapeBytes(j.Local()) }

// Occupant is somebody's id in every room of the gateway (XEP-0421). persona is the name of a
// persona that shares its user with others, such as a webhook's, and else empty.
func (a Addresses) Occupant(id transports.UserID, persona string) string {
	return Hash(a.Domain.String(), "occupant", string(id), persona)
}

// Secret derives ids of occupants who are nobody on the network.
func (a Addresses) Secret() []byte { return []byte(Hash("occupants", a.Domain.String())) }

// Stanza is the id of the stanza for something in a room: the same whenever and however often it comes.
func (a Addresses) Stanza(r tables.Room, key string) string {
	return Hash(a.Domain.String(), string(r.Scope), r.Key, key)
}

// Outgoing is the id in the archive of a stanza from XMPP.
func (a Addresses) Outgoing(r tables.Room, sender jid.JID, origin string) string {
	return Hash(a.Domain.String(), string(r.Scope), r.Key, sender.Bare().String(), origin)
}

// Nonces makes our ids of messages for the network. They are made with a key, since a message of somebody else that carries
// the id of a call would be taken for its echo.
type Nonces struct{ Key []byte }

// Of is our id of a part of a message: the same at every attempt, and short enough for the nonce of any network.
func (n Nonces) Of(c tables.Call, part int) string {
	return digest(hmac.New(sha256.New, n.Key), c.Stanza, c.Sender.Bare().String(), strconv.Itoa(part))
}

// RoomKey names a room within its scope. A direct chat goes by the person, so that it is
// the same before the network has made a room of it.
func RoomKey(kind transports.RoomKind, id transports.RoomID, peer transports.UserID) string {
	if kind == transports.Direct && peer != "" {
		return "@" + string(peer)
	}
	if strings.HasPrefix(string(id), "@") || strings.HasPrefix(string(id), "\\") {
		return "\\" + string(id)
	}
	return string(id)
}

// Hash makes a short stable id of its parts.
func Hash(parts ...string) string { return digest(sha256.New(), parts...) }

func digest(h hash.Hash, parts ...string) string {
	for _, p := range parts {
		h.Write([]byte{byte(len(p) >> 8), byte(len(p))})
		h.Write([]byte(p))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:15]))
}
