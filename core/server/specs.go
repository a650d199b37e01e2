package server

import (
	"log/slog"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/bosh"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/anonymous"
	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/portable"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/locate"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/store/authentication"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/core/web/hostmeta"
)

// Specs are the extensions that the server implements, as its features and the packages below
// core declare them.
func Specs() []spec.Spec {
	var all []spec.Spec
	for _, declared := range []func() []spec.Spec{
		anonymous.Specs,
		archive.Specs, bosh.Specs, c2s.Specs, channelsearch.Specs, command.Specs, component.Specs, disco.Specs, form.Specs, message.Specs,
		paging.Specs, portable.Specs, pubsub.Specs, room.Specs, s2s.Specs, locate.Specs, sasl.Specs, stream.Specs,
		upload.Specs, hostmeta.Specs,
	} {
		all = append(all, declared()...)
	}
	for _, f := range unused() {
		all = append(all, f.Specs...)
	}
	return all
}

// unused are the features of a host for what they declare. They are not used: they need no database.
func unused() []router.Feature {
	log := slog.New(slog.DiscardHandler)
	h := router.NewHost(router.New(log), jid.JID{}, router.HostOptions{Log: log})
	a := assembly{config: config.Default(), accounts: authentication.New(nil, jid.JID{}, authentication.Options{}), log: log}
	return features(h, a, link(h, a))
}
