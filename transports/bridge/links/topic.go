package links

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// readChannel reads the row of the channel again. Another topic is shown to the linked room.
func (l *link) readChannel(ctx context.Context) {
	channel, ok, err := l.links.channels.RoomByID(ctx, l.row.Room)
	switch {
	case err != nil:
		l.links.env.Log.Error("reading the row of a linked channel", "channel", l.channel.Net, "error", err)
		return
	case !ok:
		return
	}
	if channel.Topic != l.channel.Topic {
		l.room.topic = &channel.Topic
	}
	l.channel = channel
}

// showTopic makes the topic of the channel the subject of the linked room (XEP-0045 §8.1), once after it has changed. A room that does not let
// the gateway do that keeps its subject.
func (l *link) showTopic() {
	topic := l.room.topic
	l.room.topic = nil
	if topic == nil || *topic == l.room.subject {
		return
	}
	st := stanza.NewMessage(l.row.Address, l.self(), stanza.TypeGroupchat, stanza.TextElement("", "subject", convert.CutBytes(*topic, maxTopic)))
	st.ID = stanza.NewID()
	l.send(st)
}

// maxTopic is how many bytes of a topic are shown.
const maxTopic = 1024
