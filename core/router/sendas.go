package router

import (
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// SendAs sends a message in the name of an account, which no session of it does (XEP-0356 §5): as for a message of a
// session, the outbound stages run and it is delivered. The returned error, of a stage that has refused it, is for
// the sender of p.Stanza, since the account has sent nothing that could be refused.
func (p *Pass) SendAs(a *Account, st *stanza.Stanza) error { return p.sendAs(a, st, false) }

// NoteSent is SendAs for a message that the receiver has already, such as one that the person behind the account wrote
// with a network's own client: it is archived and copied, but not delivered.
func (p *Pass) NoteSent(a *Account, st *stanza.Stanza) error { return p.sendAs(a, st, true) }

func (p *Pass) sendAs(a *Account, st *stanza.Stanza, sent bool) error {
	h := a.host
	as := h.newPass(p.batch, a, st)
	defer as.free()
	as.sent = sent
	where, err := h.runStages(as, outbound)
	switch {
	case errors.Is(err, ErrStop):
		return nil
	case err != nil:
		return h.errorFor(err, where)
	case !sent:
		h.router.RouteIn(p.batch, as.Stanza)
	}
	return nil
}

// ReceiverArchives reports, for Outbound, whether the receiver archives the stanza for the sender when it accepts it: see
// Endpoint.ArchiveForSenders.
func (p *Pass) ReceiverArchives() bool {
	return !p.sent && p.Host.router.ArchivesForSenders(p.Stanza.To)
}
