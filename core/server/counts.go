package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/bytestreams"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/features/invite"
	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/web"
)

// logEvery is the interval of the log line about limits that were reached.
const logEvery = time.Minute

// Limits that the server counts itself.
const (
	nameArchiveMessages = "limits.archive_messages"
	nameLists           = "strangers.lists"
	namePushAccounts    = "push.accounts"
)

// Count is how often a limit was reached since the start.
type Count struct {
	Limit string // name of the setting, such as limits.stanza_bytes
	Times uint64
}

// Counts returns how often limits were reached that refuse something, end a connection or slow it down.
// Connections, store, features and services declare them; counts with the same name are added up.
func (s *Server) Counts() []Count {
	var all counts
	all.addCounters(s.clients.Counters.Limits())
	all.addCounters(s.components.Counters.Limits())
	all.addCounters(s.remote.Counted())
	all.addCounters(s.store.Counters.Limits())
	all.add(Count{nameArchiveMessages, s.reloadable.archiveQuota.deleted.Load()})
	all.add(Count{nameLists, s.reloadable.lists.Refused.Load()})
	all.add(Count{namePushAccounts, s.rooms.Crowded.Load() + s.rooms.Late.Load()})
	for _, c := range s.ports.counts() {
		all.add(c)
	}
	all.addCounters(s.http.web.Counters.Limits())
	all.addCounters(s.http.uploads.Counters.Limits())
	all.addCounters(s.http.pages.Limits())
	for _, h := range s.hosts {
		for _, f := range h.Features() {
			all.addCounters(f.Counters)
		}
	}
	for _, h := range s.anonymous {
		for _, f := range h.Features() {
			all.addCounters(f.Counters)
		}
	}
	for _, a := range s.attachedServices() {
		for _, c := range a.Counts() {
			all.add(c)
		}
	}
	return all
}

// CountedLimits returns the names of the limits that Counts has, for the documentation.
func CountedLimits() []string {
	all := counts{{Limit: nameArchiveMessages}, {Limit: nameLists}, {Limit: namePushAccounts}}
	all.addCounters((&c2s.Counters{}).Limits())
	all.addCounters((&component.Counters{}).Limits())
	all.addCounters((*federation.Federation)(nil).Counted())
	all.addCounters((&store.Counters{}).Limits())
	all.addCounters((&web.Counters{}).Limits())
	all.addCounters((&upload.Counters{}).Limits())
	all.addCounters((&invite.Page{}).Limits())
	for _, c := range (&ports{relay: &bytestreams.Relay{}}).counts() {
		all.add(c)
	}
	all.addCounters((&conference.Service{}).Counted())
	log := slog.New(slog.DiscardHandler)
	for _, f := range append(unused(), newAnonymousHost(router.New(log), jid.JID{}, config.Default(), log).Features()...) {
		all.addCounters(f.Counters)
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Limit
	}
	slices.Sort(names)
	return names
}

// counts adds up counts with the same name.
type counts []Count

func (all *counts) add(c Count) {
	for i := range *all {
		if (*all)[i].Limit == c.Limit {
			(*all)[i].Times += c.Times
			return
		}
	}
	*all = append(*all, c)
}

func (all *counts) addCounters(list []router.Counter) {
	for _, c := range list {
		all.add(Count{c.Setting, c.Value.Load()})
	}
}

// LogCounts logs the limits that were reached since the last log line, every logEvery and once more when
// ctx ends.
func LogCounts(ctx context.Context, log *slog.Logger, counts func() []Count) error {
	tick := time.NewTicker(logEvery)
	defer tick.Stop()
	logged := map[string]uint64{}
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if attrs := increases(logged, counts()); len(attrs) > 0 {
			log.LogAttrs(ctx, slog.LevelInfo, "limits reached", attrs...)
		}
	}
	return nil
}

// increases returns the counts that are larger than in logged, and updates logged.
func increases(logged map[string]uint64, now []Count) []slog.Attr {
	var attrs []slog.Attr
	for _, c := range now {
		if n := c.Times - logged[c.Limit]; n > 0 {
			attrs = append(attrs, slog.Uint64(c.Limit, n))
			logged[c.Limit] = c.Times
		}
	}
	return attrs
}
