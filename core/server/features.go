package server

import (
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/features/admincommands"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/features/bookmarks"
	"github.com/dragoman-im/dragoman/core/features/carbons"
	"github.com/dragoman-im/dragoman/core/features/clients"
	"github.com/dragoman-im/dragoman/core/features/commands"
	"github.com/dragoman-im/dragoman/core/features/contact"
	"github.com/dragoman-im/dragoman/core/features/delegation"
	"github.com/dragoman-im/dragoman/core/features/disco"
	"github.com/dragoman-im/dragoman/core/features/entitytime"
	"github.com/dragoman-im/dragoman/core/features/extdisco"
	"github.com/dragoman-im/dragoman/core/features/invite"
	"github.com/dragoman-im/dragoman/core/features/last"
	"github.com/dragoman-im/dragoman/core/features/mam"
	"github.com/dragoman-im/dragoman/core/features/messagesearch"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/features/outage"
	"github.com/dragoman-im/dragoman/core/features/ping"
	"github.com/dragoman-im/dragoman/core/features/presence"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/features/proxy"
	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/features/rtbl"
	"github.com/dragoman-im/dragoman/core/features/search"
	"github.com/dragoman-im/dragoman/core/features/version"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/administration"
	"github.com/dragoman-im/dragoman/core/store/authentication"
	"github.com/dragoman-im/dragoman/core/store/directory"
	"github.com/dragoman-im/dragoman/core/store/moderation"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// Name and address of this software, the latter for entity capabilities (XEP-0115 §4).
const (
	softwareName = "Dragoman"
	softwareNode = "https://github.com/dragoman-im/dragoman"
)

// assembly has the parameters of a host's features.
type assembly struct {
	config   config.Config
	store    *store.Store
	accounts *authentication.Accounts
	log      *slog.Logger
	reserved map[jid.JID]bool // cannot be registered
	quota    *peerlimit.Quota
	removed  func(jid.JID) // called when an account was marked as deleted
	rights   *admin.Rights
	stop     func(after time.Duration, again bool) // stops or restarts the server
	shared   shared
	identity *identity.Host
	nodes    pubsub.Store
	backends map[string]func(host jid.JID) identity.Backend
}

// shared is what all hosts have in common.
type shared struct {
	lists      *abuse.Lists // of strangers that send spam
	subscribed []rtbl.Name  // the lists that the first host has subscribed to
	proxy      proxy.Options
	rooms      *notification.Notifier
	kept       func(account jid.JID) time.Duration // how long archives are kept by the configuration
}

// linked are the features that the server calls directly, or that depend on each other.
type linked struct {
	componentRights
	roster   *roster.Roster
	blocking *blocking.Blocking
	presence *presence.Presence
	offline  *offline.Offline
	archive  archiving
	disco    *disco.Disco
	commands *commands.Commands
	admin    *admin.Service
	invites  *invite.Invites
	search   *search.Search
	protection
	proxy  *proxy.Proxy
	events events
}

// componentRights are what others' components may do.
type componentRights struct {
	privileges *privilege.Privileges
	delegation *delegation.Delegation
}

// protection are the features that protect accounts from strangers.
type protection struct {
	abuse      *abuse.Abuse
	blockLists *rtbl.Lists
}

// archiving are the features of the accounts' archives.
type archiving struct {
	*mam.Archive
	messages *messagesearch.Search
}

// link creates the features that depend on each other.
func link(h *router.Host, a assembly) (l linked) {
	l.privileges = privilege.New(h, privilege.Configured(a.config.Components), privilege.ConfiguredLimits(a.config.Limits))
	l.delegation = delegation.New(h, delegation.Configured(a.config.Components), a.config.Limits.ComponentRequests)
	l.roster = roster.New(h, a.store, roster.Options{Privileges: l.privileges, Log: a.log})
	l.privileges.Subscriptions(l.roster)
	l.blocking = blocking.New(h, moderation.New(a.store, a.log))
	l.delegation.LetAccountsDelegate(a.config.Server.Delegable, l.blocking, a.config.Limits.DelegationAsked)
	l.presence = presence.New(h, l.blocking.Subscriptions(l.roster), a.store, a.log)
	l.offline = offline.New(h, a.store, a.log)
	l.archive = archiving{
		Archive: mam.New(h, a.store, mam.Options{
			Listed: l.roster.Listed, Retracter: a.store, Retention: mam.Retention{Store: retention.New(a.store), Host: a.shared.kept}, Log: a.log,
		}),
		messages: messagesearch.New(h, archive.NewSearcher(a.store), a.config.Limits.ArchiveSearches),
	}
	l.disco = disco.New(h, disco.Options{Name: softwareName, Node: softwareNode, Shares: l.presence.Shares, Replaced: l.delegation.Replaces})
	l.delegation.Discover(l.disco)

	l.commands = commands.New(h)
	l.admin = newAdmin(h, a)
	l.invites = newInvites(a, l)
	l.search = search.New(h, directory.New(a.store), search.Limits{PerMinute: a.config.Limits.Searches, Results: a.config.Limits.SearchResults})

	l.roster.Hide(l.blocking.Blocks)
	l.events = newEvents(h, a, l)
	watchers := watchers{l.presence, l.events.pep}
	l.roster.Watch(watchers)
	l.blocking.Join(l.roster.Contacts, watchers)
	l.presence.OnAvailable(l.events.capabilities.Available)
	l.presence.OnAvailable(l.privileges.Available)
	l.presence.OnUnavailable(l.privileges.Unavailable)
	l.presence.OnAvailable(l.roster.RequestAgain)
	l.abuse = newAbuse(h, a, l)
	l.blockLists = newBlockLists(h, a)
	l.proxy = proxy.New(h, a.shared.proxy)
	l.blocking.OnReport(func(r blocking.Report) {
		l.abuse.Reported(abuse.Report{Account: r.Account, Reported: r.Reported, Reason: r.Reason, Text: r.Text})
	})
	l.offline.Refuse(l.blocking.Blocks)
	l.offline.Skip(l.archive.Given)
	l.offline.Archived(l.archive.Has)
	l.presence.OnArrival(l.offline.Arrived)
	l.presence.OnArrival(l.archive.Arrived)
	l.presence.OnArrival(l.events.push.Arrived)
	l.presence.OnArrival(admincommands.New(l.admin).Arrived)
	return l
}

// newInvites returns the invitations of a host.
func newInvites(a assembly, l linked) *invite.Invites {
	c := a.config
	return invite.New(l.admin, admin.NewInvitations(l.admin, administration.New(a.store, c.Login.Iterations), admin.InvitationLimits{
		Register: c.Accounts.Invitations, Users: c.Accounts.UserInvitations, Time: time.Duration(c.Accounts.InvitationTime), Account: c.Limits.Invitations,
	}), l.roster, invite.Site(c.Web.URL))
}

// registerOptions returns how accounts are registered.
func registerOptions(a assembly, l linked) register.Options {
	o := register.Options{
		Open: a.config.Server.Register, Reserved: func(account jid.JID) bool { return a.reserved[account] },
		Foreign: a.foreign, Quota: a.quota, Removed: a.removed, Log: a.log,
	}
	if a.config.Accounts.Invitations {
		o.Invitations = l.invites
	}
	return o
}

// newAdmin returns what administrators can do on a host.
func newAdmin(h *router.Host, a assembly) *admin.Service {
	t := administration.New(a.store, a.config.Login.Iterations)
	return admin.New(admin.Options{
		Host: h, Rights: a.rights, Accounts: t, Reader: t, Texts: t, Lists: t, Archives: retention.New(a.store),
		Reserved: func(account jid.JID) bool { return a.reserved[account] }, Foreign: a.foreign,
		Removed: a.removed, Stop: a.stop, Log: a.log,
	})
}

// features returns all features of a host. Stages with the same position run in this order.
func features(h *router.Host, a assembly, l linked) []router.Feature {
	c := a.config
	return []router.Feature{
		c2s.Feature(),
		l.roster.Feature(),
		l.presence.Feature(),
		admincommands.New(l.admin).Feature(), // refuses addresses with which the host does not communicate
		l.blocking.Feature(),                 // refuses stanzas from and to blocked addresses
		l.abuse.Feature(),                    // refuses what strangers may not send
		l.blockLists.Feature(),
		l.offline.Feature(), // stores messages that no session gets
		l.archive.Feature(), // adds stanza-ids and archives messages
		carbons.New().Feature(),
		l.privileges.Feature(),
		l.delegation.Feature(),
		l.disco.Feature(),
		l.commands.Feature(), // runs the commands of all features
		register.New(h, a.store, registerOptions(a, l)).Feature(),
		l.invites.Feature(), // accepts requests with a token
		l.search.Feature(),
		l.archive.messages.Feature(),
		l.proxy.Feature(),
		l.events.push.Feature(),
		l.events.capabilities.Feature(),
		l.events.pep.Feature(),
		l.events.bookmarks.Feature(),
		l.events.avatars.Feature(),
		l.events.domain.Counted(),
		l.events.vcard.Feature(),
		private.New(a.store).From(l.events.bookmarks, bookmarks.NSLegacy, "storage").Feature(),
		last.New(h, a.store, l.presence.Shares).Feature(),
		extdisco.New(c.Services).Feature(),
		ping.Feature(),
		entitytime.Feature(),
		version.Feature(softwareName, Version()),
		contact.Feature(c.Server.Contacts, l.events.info.Fields()...),
		l.events.info.Feature(),
		outage.Feature(c.Status.Addresses),
		clients.New(h, a.accounts, a.log).Feature(),
	}
}
