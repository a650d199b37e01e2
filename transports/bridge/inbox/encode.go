package inbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const maxKey = 512 // bytes of an event's key

// stored is an event as the inbox stores it.
type stored struct {
	Room  transports.RoomID    `json:"r,omitempty"`
	Kind  transports.RoomKind  `json:"k,omitempty"`
	Peer  transports.UserID    `json:"p,omitempty"`
	Actor transports.UserID    `json:"a,omitempty"`
	Name  string               `json:"n,omitempty"`
	Own   bool                 `json:"o,omitempty"`
	Nonce string               `json:"c,omitempty"`
	At    time.Time            `json:"t,omitzero"`
	Past  bool                 `json:"q,omitempty"` // archived, and shown to nobody
	Seen  []transports.LoginID `json:"s,omitempty"`
	Body  json.RawMessage      `json:"b"`
}

func encode(e transports.Event) ([]byte, error) {
	body, err := transports.MarshalBody(e.Body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(stored{e.Room, e.Kind, e.Peer, e.Actor, e.Name, e.Own, e.Nonce, e.At, e.Past, e.SeenBy, body})
}

func decode(row tables.Event) (e transports.Event, err error) {
	var s stored
	if err := json.Unmarshal(row.Data, &s); err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	body, err := transports.UnmarshalBody(row.Kind, s.Body)
	if err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	return transports.Event{
		Key: row.Key, Room: s.Room, Kind: s.Kind, Peer: s.Peer, Actor: s.Actor, Name: s.Name, Own: s.Own, Nonce: s.Nonce, At: s.At,
		Past: s.Past, SeenBy: s.Seen, Body: body,
	}, nil
}

// check refuses what no network should deliver.
func check(e transports.Event) error {
	if e.Body == nil {
		return errors.New("no body")
	}
	const max = convert.MaxID
	if len(e.Room) > max || len(e.Peer) > max || len(e.Actor) > max || len(e.Key) > maxKey || len(e.Nonce) > maxKey {
		return errors.New("an id is too long")
	}
	if e.Key == "" && !e.Ephemeral() {
		return errors.New("no key")
	}
	switch b := e.Body.(type) {
	case transports.Message:
		if b.ID == "" || len(b.ID)+len(b.Part) > max {
			return errors.New("a message needs an id")
		}
		if len(b.Files) > 10*convert.MaxFiles {
			return errors.New("too many files")
		}
	case transports.Edit:
		if b.ID == "" || len(b.ID)+len(b.Part) > max {
			return errors.New("an edit needs an id")
		}
	case transports.Contact, transports.Presence:
		return nil
	}
	if e.Room == "" && e.Peer == "" {
		return errors.New("no room")
	}
	return nil
}
