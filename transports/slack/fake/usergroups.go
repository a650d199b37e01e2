package fake

// group is a group of users.
type group struct {
	id, handle string
	created    int64
}

// AddGroup makes a group of users and returns its id.
func (t *Workspace) AddGroup(handle string) string {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	g := &group{id: t.server.ids.next("S"), handle: handle, created: t.server.opt.Now().Unix()}
	t.groups = append(t.groups, g)
	return g.id
}

// usergroupsList is usergroups.list.
func (c *call) usergroupsList() (map[string]any, error) {
	list := []any{}
	for _, g := range c.team.groups {
		list = append(list, map[string]any{
			"id": g.id, "team_id": c.team.ID, "is_usergroup": true, "is_subteam": true, "name": g.handle, "description": "", "handle": g.handle, "is_external": false,
			"date_create": g.created, "date_update": g.created, "date_delete": 0, "auto_type": nil, "auto_provision": false, "enterprise_subteam_id": "",
			"created_by": c.team.users[0].ID, "updated_by": c.team.users[0].ID, "deleted_by": nil, "user_count": 0,
			"prefs": map[string]any{"channels": []any{}, "groups": []any{}},
		})
	}
	return map[string]any{"usergroups": list}, nil
}
