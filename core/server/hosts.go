package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/features/carbons"
	"github.com/dragoman-im/dragoman/core/features/contact"
	"github.com/dragoman-im/dragoman/core/features/disco"
	"github.com/dragoman-im/dragoman/core/features/entitytime"
	"github.com/dragoman-im/dragoman/core/features/last"
	"github.com/dragoman-im/dragoman/core/features/mam"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/features/ping"
	"github.com/dragoman-im/dragoman/core/features/presence"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/features/vcard"
	"github.com/dragoman-im/dragoman/core/features/version"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store"
)

// node names this software in entity capabilities (XEP-0115 §4).
const node = "https://github.com/dragoman-im/dragoman"

// host is one served domain with its features.
type host struct {
	*router.Host
	domain     jid.JID
	roster     *roster.Roster
	offline    *offline.Offline
	vcard      *vcard.VCard
	blocking   *blocking.Blocking
	archive    *mam.Archive
	disco      *disco.Disco
	register   *register.Register
	privileges *privilege.Privileges
}

// hostOptions is what all hosts share.
type hostOptions struct {
	ctx        context.Context // of the start
	config     config.Config
	router     *router.Router
	store      *store.Store
	log        *slog.Logger
	privileged map[jid.JID]privilege.Permissions
	removed    func() // an account's end has begun
}

// newHost assembles a domain: each feature registers itself, and what one needs of another is joined here.
func newHost(domain jid.JID, o hostOptions) (*host, error) {
	h := &host{domain: domain}
	h.Host = router.NewHost(o.router, domain, router.HostOptions{Accounts: o.store, Log: o.log})
	h.privileges = privilege.New(h.Host, o.privileged)
	h.roster = roster.New(h.Host, o.store, roster.Options{Privileges: h.privileges, Log: o.log})
	var err error
	if h.blocking, err = blocking.New(o.ctx, h.Host, o.store); err != nil {
		return nil, err
	}
	h.privileges.Restrict(h.blocking.MaySend)
	watch := presence.New(h.Host, h.blocking.Subscriptions(h.roster), o.store, o.log)
	h.blocking.Join(h.roster.Contacts, watch)
	h.roster.SetWatcher(watch)
	h.offline = offline.New(h.Host, o.store, o.log)
	watch.OnArrival(h.offline.Arrived)
	archive := mam.New(h.Host, o.store, mam.Options{Listed: h.roster.Listed, Log: o.log})
	carbons.New(h.Host)
	h.archive = archive
	h.SetStages(stages(h.blocking, h.offline, archive)...)
	h.register = register.New(h.Host, o.store, register.Options{
		Open: o.config.Server.Register, Removed: func(jid.JID) { o.removed() }, Log: o.log,
	})
	h.vcard = vcard.New(h.Host, o.store, int(o.config.Limits.VCardBytes))
	h.disco = disco.New(h.Host, disco.Options{Name: "Dragoman", Node: node, Shares: watch.Shares})
	ping.New(h.Host)
	entitytime.New(h.Host)
	version.New(h.Host, "Dragoman", Version())
	h.disco.AddFeatures(slices.Concat(
		h.roster.Features(), h.offline.Features(), h.register.Features(), h.blocking.Features(), ping.Features(), entitytime.Features(), version.Features(),
		h.vcard.Features(),
		private.New(h.Host, o.store).Features(),
		last.New(h.Host, o.store, watch.Shares).Features(), carbons.Features(),
	)...)
	h.disco.AddAccountFeatures(archive.Features()...)
	h.disco.Add(contact.Info(o.config.Server.Contacts))
	h.disco.Add(version.Info("Dragoman", Version()))
	if err := o.router.Attach(domain, h.Host); err != nil {
		return nil, fmt.Errorf("serve %s: %w", domain, err)
	}
	return h, nil
}
