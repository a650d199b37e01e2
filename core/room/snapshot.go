package room

import (
	"maps"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/room/visits"
)

// Snapshot is the lasting state of a room.
type Snapshot struct {
	Info         rules.Info
	Config       rules.Config
	Subject      Subject
	Affiliations map[jid.JID]affiliations.Entry // by bare JID or domain
	Versions     []affiliations.Version         // of Affiliations, the current one last
	Hats         hats.List
	Requests     map[jid.JID]string     // the nick that a bare JID asks for, until an admin decides (XEP-0045 §9.9)
	Roles        map[string]visits.Kept // that moderators have decided about, by occupant id
}

// Snapshot returns a copy of the lasting state.
func (r *Room) Snapshot() Snapshot {
	return Snapshot{Info: r.info, Config: r.config, Subject: r.subject, Affiliations: r.lists.Entries(), Versions: r.lists.Versions(), Hats: r.hats, Requests: maps.Clone(r.requests), Roles: r.visits.Roles()}
}

func (r *Room) restore(s *Snapshot) {
	r.info, r.config, r.subject, r.hats = s.Info, s.Config, s.Subject, s.Hats
	maps.Copy(r.requests, s.Requests)
	r.visits.Restore(s.Roles)
	r.lists.Restore(s.Affiliations, s.Versions)
}
