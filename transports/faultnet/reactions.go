package faultnet

import (
	"slices"

	"github.com/dragoman-im/dragoman/transports"
)

// Reactions are those of one person to a message.
func (w *World) Reactions(room transports.RoomID, id transports.MessageID, user transports.UserID) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.channels[room].find(id); s != nil {
		return slices.Clone(s.reactions[user])
	}
	return nil
}

// LoseReactions makes the network lose all reactions to a message without an event.
func (w *World) LoseReactions(room transports.RoomID, id transports.MessageID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.channels[room].find(id).reactions = nil
}

// react changes a person's reactions; to a message that is not there it only makes the event. The lock is held.
func (w *World) react(room transports.RoomID, user transports.UserID, id transports.MessageID, add, remove []string) error {
	if p := w.channels[room]; p != nil {
		if s := p.find(id); s != nil {
			set := slices.DeleteFunc(slices.Clone(s.reactions[user]), func(e string) bool { return slices.Contains(remove, e) })
			for _, e := range add {
				if !slices.Contains(set, e) {
					set = append(set, e)
				}
			}
			switch {
			case w.MaxReactions > 0 && len(set) > w.MaxReactions:
				return transports.Refuse("not-allowed", "These are too many reactions.", nil)
			case slices.Equal(set, s.reactions[user]):
				return nil // there is nothing to report
			case s.reactions == nil:
				s.reactions = map[transports.UserID][]string{}
			}
			s.reactions[user] = set
		}
	}
	return w.emit(room, transports.Event{Key: w.key(string(id) + "/react"), Actor: user, Body: transports.Reactions{ID: id, Add: add, Remove: remove}})
}
