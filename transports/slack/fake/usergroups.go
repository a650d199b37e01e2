package fake

import "slices"

// UserGroup is a group of people with a handle: @designers.
type UserGroup struct {
	ID string

	team    *Workspace
	name    string
	handle  string
	creator *User
	created int64
	updated int64
	members []*User
}

// AddUserGroup makes a user group. Apps are told by subteam_created.
func (w *Workspace) AddUserGroup(handle, name string, by *User, members ...*User) (g *UserGroup) {
	s := w.server
	s.do(func() {
		now := s.opt.Now().Unix()
		g = &UserGroup{ID: s.ids.next("S"), team: w, name: name, handle: handle, creator: by, created: now, updated: now, members: distinct(members)}
		w.groups = append(w.groups, g)
		s.emit(emission{team: w, event: map[string]any{"type": "subteam_created", "subteam": g.json(true)}})
	})
	return g
}

// SetMembers changes who is in the group: subteam_members_changed and subteam_updated.
func (g *UserGroup) SetMembers(members ...*User) {
	s := g.team.server
	s.do(func() {
		added, removed := []any{}, []any{}
		for _, u := range members {
			if !slices.Contains(g.members, u) {
				added = append(added, u.ID)
			}
		}
		for _, u := range g.members {
			if !slices.Contains(members, u) {
				removed = append(removed, u.ID)
			}
		}
		before := g.updated
		g.members, g.updated = distinct(members), s.opt.Now().Unix()
		s.emit(emission{team: g.team, event: map[string]any{"type": "subteam_members_changed", "subteam_id": g.ID, "team_id": g.team.ID,
			"date_previous_update": before, "date_update": g.updated, "added_users": added, "added_users_count": len(added),
			"removed_users": removed, "removed_users_count": len(removed)}})
		s.emit(emission{team: g.team, event: map[string]any{"type": "subteam_updated", "subteam": g.json(true)}})
	})
}

func (g *UserGroup) json(users bool) map[string]any {
	out := map[string]any{
		"id": g.ID, "team_id": g.team.ID, "is_usergroup": true, "is_subteam": true, "name": g.name, "handle": g.handle, "description": "",
		"is_external": false, "date_create": g.created, "date_update": g.updated, "date_delete": 0, "auto_provision": false,
		"created_by": g.creator.ID, "updated_by": g.creator.ID, "user_count": len(g.members), "channel_count": 0,
		"prefs": map[string]any{"channels": []any{}, "groups": []any{}},
	}
	if users {
		out["users"] = g.ids()
	}
	return out
}

func (g *UserGroup) ids() []any {
	out := []any{}
	for _, u := range g.members {
		out = append(out, u.ID)
	}
	return out
}

// usergroupsList is usergroups.list.
func (c *call) usergroupsList() (map[string]any, error) {
	list := []any{}
	for _, g := range c.team.groups {
		body := g.json(c.flag("include_users", false))
		if !c.flag("include_count", false) {
			delete(body, "user_count")
			delete(body, "channel_count")
		}
		list = append(list, body)
	}
	return map[string]any{"usergroups": list}, nil
}

// usergroupsUsersList is usergroups.users.list.
func (c *call) usergroupsUsersList() (map[string]any, error) {
	for _, g := range c.team.groups {
		if g.ID == c.str("usergroup") {
			return map[string]any{"users": g.ids()}, nil
		}
	}
	return nil, refuse("no_such_subteam")
}
