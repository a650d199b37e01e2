package server

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/rooms"
)

// roomsKeyName is the name of the file with the secret of occupant ids.
const roomsKeyName = "rooms.key"

// conferences is the conference service of a host as an attached service.
type conferences struct{ *conference.Service }

var _ Service = conferences{}

// Counts implements Service.
func (c conferences) Counts() []Count {
	var all counts
	all.addCounters(c.Counted())
	return all
}

// newConferences attaches the conference service of each host. Rooms that were created earlier are kept, and lose deleted accounts, also
// if there is no service any more.
func (s *Server) newConferences() error {
	kept := rooms.New(s.store)
	s.roomTables = kept
	if s.config.Rooms.Domain == "" {
		return nil
	}
	secret, err := loadOrCreateSecret(filepath.Join(s.config.Server.Data, roomsKeyName))
	if err != nil {
		return err
	}
	for _, h := range s.hosts {
		domain, ok := h.below(s.config.Rooms.Domain, conference.Name, s.config, s.log)
		if !ok {
			continue
		}
		endpoint, err := s.router.Endpoint(domain)
		if err != nil {
			return fmt.Errorf("serve %s: %w", domain, err)
		}
		h.conference = conference.New(conference.Options{
			Endpoint: endpoint, Store: kept, Lists: kept, Public: kept, Archives: kept, Secret: secret, Config: s.config.Rooms, Log: s.log, Notify: s.rooms.Room,
			CardBytes: int(s.config.Limits.VCardBytes), Space: h.isSpace, Destroyed: h.roomDestroyed,
			Clock: store.NewClock(s.store, "rooms", time.Now, s.log),
			People: conference.People{
				Local:  localAccount(s.config),
				Admin:  func(who jid.JID) bool { return s.rights.Role(who).May(admin.ManageRooms) },
				Listed: s.reloadable.lists.HasOccupant,
			},
		})
		h.events.spaces.SetRooms(h.conference)
		h.admin.Rooms = h.conference
		if err := s.Attach(Attachment{Service: conferences{h.conference}, Endpoint: endpoint, Name: conference.Name, Host: h.domain, Rooms: searchedRooms{h.conference}}); err != nil {
			return err
		}
	}
	return nil
}
