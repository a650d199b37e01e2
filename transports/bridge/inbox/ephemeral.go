package inbox

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// ShowTyping shows that somebody writes, or has stopped (XEP-0085).
func (p *Processor) ShowTyping(ctx context.Context, l *logins.Login, e transports.Event, available bool) {
	t, ok := e.Body.(transports.Typing)
	if !ok {
		return
	}
	content := convert.Typing(t.On)
	if p.conv.Direct() {
		if from, err := p.address.Contact(p.conv.Row.Peer); err == nil && available {
			p.env.Send(stanza.NewMessage(l.Owner, from, stanza.TypeChat, content...))
		}
		return
	}
	if engine := p.room.Engine(); engine == nil || engine.Sessions() == 0 {
		return
	}
	who := p.people.Find(ctx, e.Actor, e.Name)
	p.room.SetMember(ctx, who, "")
	p.room.Broadcast(room.Post{
		From: p.address.Occupant(e.Actor, ""), Nick: convert.DisplayName(who), Payload: stanza.Encode(content...), Transient: true,
	})
}
