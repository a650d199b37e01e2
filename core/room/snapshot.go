package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Snapshot is the lasting state of a room.
type Snapshot struct {
	Info         rules.Info
	Config       rules.Config
	Subject      Subject
	Affiliations map[jid.JID]affiliations.Entry // by bare JID or domain
	Versions     []affiliations.Version         // of Affiliations, the current one last
	Hats         hats.List
}

// Snapshot returns a copy of the lasting state.
func (r *Room) Snapshot() Snapshot {
	return Snapshot{Info: r.info, Config: r.config, Subject: r.subject, Affiliations: r.lists.Entries(), Versions: r.lists.Versions(), Hats: r.hats}
}

func (r *Room) restore(s *Snapshot) {
	r.info, r.config, r.subject, r.hats = s.Info, s.Config, s.Subject, s.Hats
	r.lists.Restore(s.Affiliations, s.Versions)
}
