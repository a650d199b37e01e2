package state

import (
	"slices"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// Allows reports whether a member may do something in a channel, as far as the member's roles are known (docs: Permissions, Permission
// Overwrites). In direct conversations and in channels whose guild is not known nobody is allowed anything.
func (s *State) Allows(c *objects.Channel, user string, permission int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[c.GuildID]
	if g == nil {
		return false
	}
	if c.IsThread() { // permissions are those of its channel
		if c = s.channels[c.ParentID]; c == nil {
			return false
		}
	}
	worn := g.worn[user]
	has := g.everyone
	for _, role := range worn {
		has |= g.rights[role]
	}
	if has&objects.PermissionAdministrator != 0 {
		return true
	}
	var deny, allow int64 // by the member's roles together
	var own objects.Overwrite
	for _, o := range c.Overwrites {
		switch {
		case o.ID == g.id:
			has = has&^o.Deny | o.Allow
		case o.ID == user:
			own = o
		case slices.Contains(worn, o.ID):
			deny, allow = deny|o.Deny, allow|o.Allow
		}
	}
	has = has&^deny | allow
	return (has&^own.Deny|own.Allow)&permission == permission
}
