package inbox

import "github.com/dragoman-im/dragoman/transports"

// waiting holds the messages that held events concern: later events about them wait too, so that no change of a message
// is processed before the message.
type waiting map[transports.MessageID]bool

func (w *waiting) add(b transports.Body) {
	if *w == nil {
		*w = waiting{}
	}
	for _, id := range about(b) {
		(*w)[id] = true
	}
}

func (w waiting) concerns(b transports.Body) bool {
	for _, id := range about(b) {
		if w[id] {
			return true
		}
	}
	return false
}

// about returns the messages that an event shows, changes or refers to.
func about(b transports.Body) []transports.MessageID {
	switch b := b.(type) {
	case transports.Message:
		list := []transports.MessageID{b.ID}
		for _, id := range []transports.MessageID{b.ReplyTo, b.Thread} {
			if id != "" {
				list = append(list, id)
			}
		}
		return list
	case transports.Edit:
		return []transports.MessageID{b.ID}
	case transports.Delete:
		return b.IDs
	case transports.Reactions:
		return []transports.MessageID{b.ID}
	case transports.Poll:
		return []transports.MessageID{b.ID}
	}
	return nil
}
