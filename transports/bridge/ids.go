package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// idsByNet finds the stanzas of a message, those of this batch among them.
func (s *step) idsByNet(ctx context.Context, net transports.MessageID) ([]tables.Mapping, error) {
	rows, err := s.w.g.store.ByNetworkID(ctx, s.w.id, net)
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, r := range b.Messages.Mappings {
			if r.Net == net {
				rows = append(rows, r)
			}
		}
		for _, g := range b.Messages.Deleted {
			for _, id := range g.Net {
				for i := range rows {
					rows[i].Deleted = rows[i].Deleted || rows[i].Net == id
				}
			}
		}
	}
	return rows, nil
}

// idsByStanza finds the parts of the message that an id of a stanza names.
func (s *step) idsByStanza(ctx context.Context, id string) ([]tables.Mapping, error) {
	rows, err := s.w.g.store.ByStanzaID(ctx, s.w.id, id, "")
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, r := range b.Messages.Mappings {
			if r.Stanza == id || r.Origin == id {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// local is the account on this gateway that the event's actor is: the account that
// brought the event, or another user's. nil where the actor is somebody else.
func (s *step) local() *account {
	if a := s.w.g.account(s.row.Login); a != nil && s.e.Own && (s.e.Actor == "" || s.e.Actor == a.user) {
		return a
	}
	return s.w.g.accountOfUser(s.e.Actor)
}

// ours tells whether the event may be the echo of a call.
func (s *step) ours() bool { return s.e.Own || s.w.g.accountOfUser(s.e.Actor) != nil }
