package server

import (
	"context"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store/moderation"
)

// newAbuse returns the feature that protects accounts from strangers.
func newAbuse(h *router.Host, a assembly, l linked) *abuse.Abuse {
	c, tables := a.config, moderation.New(a.store, a.log)
	return abuse.New(h, tables, tables, abuse.Options{
		Policy: abuse.Policy(c.Strangers.Policy), Local: c.Strangers.Local, Lists: a.shared.lists, Log: a.log,
		Limits: abuse.Limits{Messages: c.Limits.StrangerMessages, Senders: c.Limits.StrangerSenders, Receivers: c.Limits.StrangerReceivers},
		Known: func(ctx context.Context, account *router.Account, other jid.JID) (bool, error) {
			if from, to, err := l.roster.Subscription(ctx, account, other); from || to || err != nil {
				return err == nil, err
			}
			return l.roster.Listed(ctx, account, other)
		},
		Operator:  func(who jid.JID) bool { return a.rights.Role(who).May(admin.EditLists) },
		Operators: func() []jid.JID { return operators(a.rights) },
	})
}

// operators lists the addresses that may see what accounts report.
func operators(rights *admin.Rights) []jid.JID {
	var list []jid.JID
	for who, role := range rights.All() {
		if role.May(admin.EditLists) {
			list = append(list, who)
		}
	}
	return list
}
