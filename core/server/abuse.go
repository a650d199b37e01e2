package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/features/admincommands"
	"github.com/dragoman-im/dragoman/core/features/rtbl"
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
		Block: func(ctx context.Context, operator, address jid.JID) error {
			return admincommands.Condition(l.admin.Block(ctx, l.admin.Actor(operator), address))
		},
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

// newBlockLists returns the lists that the host has subscribed to.
func newBlockLists(h *router.Host, a assembly) *rtbl.Lists {
	o := rtbl.Options{
		Max: a.config.Limits.BlockListEntries, Store: moderation.New(a.store, a.log), Log: a.log,
		Set:      func() rtbl.Set { return a.shared.lists.NewSource() },
		Operator: func(who jid.JID) bool { return a.rights.Role(who).May(admin.EditLists) },
	}
	if hosts := a.config.Server.Hosts; len(hosts) > 0 && hosts[0] == h.Domain().Domain() {
		o.Lists = a.shared.subscribed
	}
	return rtbl.New(h, o)
}

// subscribedLists reads strangers.subscribe.
func subscribedLists(c config.Config) ([]rtbl.Name, error) {
	var list []rtbl.Name
	for _, text := range c.Strangers.Subscribe {
		name, err := rtbl.ParseName(text)
		if err != nil {
			return nil, fmt.Errorf("strangers.subscribe: %w", err)
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, nil
}
