package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/directory"
)

// everyoneEvery is how often the accounts are read that a group of everyone has.
const everyoneEvery = 2 * time.Second

// sharedGroups are the shared groups that are in force. They belong to one goroutine: New's, then that of periodic.
type sharedGroups struct {
	config []config.Group
	hosts  map[*host][]roster.Group
	read   time.Time
}

// updateGroups puts the shared groups of the configuration in force, with the accounts that there are now.
func (s *Server) updateGroups(ctx context.Context) error {
	g := &s.reloadable.inForce
	wanted := *s.reloadable.groups.Load()
	everyone := slices.ContainsFunc(wanted, config.Group.Everyone)
	same := slices.EqualFunc(wanted, g.config, func(a, b config.Group) bool {
		return a.Name == b.Name && a.Host == b.Host && slices.Equal(a.Members, b.Members)
	})
	if same && (!everyone || time.Since(g.read) < everyoneEvery) {
		return nil
	}
	for _, h := range s.hosts {
		list, err := s.groupsOf(ctx, h, wanted)
		if err != nil {
			return err
		}
		if slices.EqualFunc(list, g.hosts[h], sameGroup) {
			continue
		}
		if err := h.roster.SetGroups(ctx, list); err != nil {
			s.log.Error("a change of shared groups not announced to all members", "host", h.domain, "err", err)
		}
		if g.hosts == nil {
			g.hosts = map[*host][]roster.Group{}
		}
		g.hosts[h] = list
	}
	g.config, g.read = wanted, time.Now()
	return nil
}

func sameGroup(a, b roster.Group) bool { return a.Name == b.Name && slices.Equal(a.Members, b.Members) }

// groupsOf returns the groups of one host with their members.
func (s *Server) groupsOf(ctx context.Context, h *host, wanted []config.Group) ([]roster.Group, error) {
	var list []roster.Group
	for _, g := range wanted {
		if g.Host != h.domain.Domain() {
			continue
		}
		members, err := s.members(ctx, h, g)
		if err != nil {
			return nil, err
		}
		list = append(list, roster.Group{Name: g.Name, Members: members})
	}
	return list, nil
}

// members returns the members of a group. Of everyone, the first accounts by address are members of each other, as many as
// limits.group_members allows.
func (s *Server) members(ctx context.Context, h *host, g config.Group) ([]jid.JID, error) {
	if g.Everyone() {
		limit := s.config.Limits.GroupMembers
		list, err := directory.New(s.store).HostAccounts(ctx, h.domain, limit+1)
		if len(list) > limit {
			h.roster.GroupsCut.Add(1)
			list = list[:limit]
		}
		return list, err
	}
	var list []jid.JID
	for _, m := range g.Members {
		j, err := jid.Parse(m)
		if err != nil {
			return nil, fmt.Errorf("shared_group %q: %q is not an address", g.Name, m)
		}
		list = append(list, j)
	}
	return list, nil
}
