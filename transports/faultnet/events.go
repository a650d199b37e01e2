package faultnet

import (
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Do runs a change of the world's, such as Edit, as its user.
func (w *World) Do(f func(as As) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f(As{w})
}

// As is what people do beside writing; it is used inside World.Do only.
type As struct{ w *World }

// Say writes a message.
func (a As) Say(room transports.RoomID, user transports.UserID, text string) error {
	_, _, err := a.w.post(room, user, transports.Outgoing{Text: richtext.ParseStyling(text)})
	return err
}

// Edit changes a message.
func (a As) Edit(room transports.RoomID, user transports.UserID, id transports.MessageID, text string) error {
	return a.w.edit(room, user, id, richtext.ParseStyling(text))
}

// Delete removes a message, of whomever.
func (a As) Delete(room transports.RoomID, by transports.UserID, id transports.MessageID) error {
	return a.w.remove(room, by, id)
}

// React adds and removes reactions.
func (a As) React(room transports.RoomID, user transports.UserID, id transports.MessageID, add, remove []string) error {
	return a.w.react(room, user, id, add, remove)
}

// Enter lets somebody join or leave a room.
func (a As) Enter(room transports.RoomID, user transports.UserID, in bool) error {
	return a.w.enter(room, user, in)
}

// Describe changes what there is to say of a room. Those who see it then are sent that where reported is set.
func (a As) Describe(room transports.RoomID, reported bool, change func(*transports.RoomInfo)) error {
	if reported {
		return a.w.describeAs(room, change)
	}
	change(&a.w.channels[room].info)
	return nil
}

// Emit sends any event to all who see the room; nothing is remembered of it.
func (a As) Emit(room transports.RoomID, e transports.Event) error { return a.w.emit(room, e) }

// Last is World.Last inside World.Do.
func (a As) Last(room transports.RoomID) transports.Message { return a.w.last(room) }

// SendTo sends any event to one person's clients as it is.
func (a As) SendTo(user transports.UserID, e transports.Event) error {
	if e.At.IsZero() {
		e.At = a.w.now()
	}
	for s := range a.w.clients {
		if s.user == user {
			a.w.deliver(s, e)
		}
	}
	return nil
}
