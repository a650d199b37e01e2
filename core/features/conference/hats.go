package conference

import (
	"context"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// command runs an ad-hoc command of a room, by which owners and admins manage its hats (XEP-0317), or describes the commands.
func (o *owner) command(ctx context.Context, r *room.Room, st *stanza.Stanza) (*stanza.Element, error) {
	if o.commands == nil {
		o.commands = command.NewEngine(command.Limits{}, nil)
		for _, c := range hats.Commands(r) {
			o.commands.Add(c)
		}
	}
	payload := st.FirstChild()
	if payload.Space == command.NS {
		return o.commands.Handle(ctx, st)
	}
	q := disco.Query{From: st.From, To: st.To, Node: payload.Attr("node")}
	if !o.commands.Has(q.Node) {
		return nil, stanza.ItemNotFound("") // XEP-0030 §3.2
	}
	if payload.Space == disco.NSInfo {
		info, err := o.commands.DiscoInfo(ctx, q)
		if err != nil {
			return nil, err
		}
		return info.Element(q.Node), nil
	}
	items, err := o.commands.DiscoItems(ctx, q)
	if err != nil {
		return nil, err
	}
	return disco.ItemsElement(q.Node, items, nil), nil
}
