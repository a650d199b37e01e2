package state

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// What a member may do in a channel follows from roles and overwrites in Discord's order (docs: Permissions, Permission Overwrites).
func TestAllows(t *testing.T) {
	t.Parallel()
	const all = objects.PermissionMentionEveryone
	overwrite := func(id string, allow, deny int64) objects.Overwrite {
		return objects.Overwrite{ID: id, Allow: allow, Deny: deny}
	}
	for name, c := range map[string]struct {
		everyone, role int64
		overwrites     []objects.Overwrite
		want           bool
	}{
		"nothing":                      {0, 0, nil, false},
		"everyone":                     {all, 0, nil, true},
		"a role":                       {0, all, nil, true},
		"an administrator":             {objects.PermissionAdministrator, 0, []objects.Overwrite{overwrite("10", 0, all)}, true},
		"everyone, denied there":       {all, 0, []objects.Overwrite{overwrite("1", 0, all)}, false},
		"a role, denied to all there":  {0, all, []objects.Overwrite{overwrite("1", 0, all)}, false},
		"denied to all, not to a role": {all, 0, []objects.Overwrite{overwrite("20", all, 0), overwrite("1", 0, all)}, true},
		"one role denies, one allows":  {0, 0, []objects.Overwrite{overwrite("20", all, 0), overwrite("21", 0, all)}, true},
		"denied to the member":         {0, all, []objects.Overwrite{overwrite("10", 0, all), overwrite("20", all, 0)}, false},
		"allowed to the member":        {0, 0, []objects.Overwrite{overwrite("10", all, 0), overwrite("20", 0, all)}, true},
		"of another role":              {0, 0, []objects.Overwrite{overwrite("22", all, 0)}, false},
	} {
		s := New("")
		s.SetGuild(&objects.Guild{ID: "1", Roles: []objects.Role{{ID: "1", Permissions: c.everyone}, {ID: "20", Permissions: c.role}, {ID: "21"}, {ID: "22"}}})
		s.SetMemberRoles("1", "10", []string{"20", "21"})
		channel := &objects.Channel{ID: "30", GuildID: "1", Overwrites: c.overwrites}
		s.SetChannel(channel)
		thread := &objects.Channel{ID: "31", GuildID: "1", ParentID: "30", Type: objects.TypePublicThread}
		if got := s.Allows(channel, "10", all); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if got := s.Allows(thread, "10", all); got != c.want {
			t.Errorf("%s, in a thread: %v", name, got)
		}
	}
	s := New("")
	s.SetGuild(&objects.Guild{ID: "1", Roles: []objects.Role{{ID: "20", Name: "helpers", Permissions: all}}})
	s.SetMemberRoles("1", "10", []string{"20"})
	s.DropRole("1", "20")
	if c := (&objects.Channel{ID: "30", GuildID: "1"}); s.Allows(c, "10", all) || s.Role("1", "20") != "" {
		t.Error("a deleted role still allows something")
	}
	if New("").Allows(&objects.Channel{ID: "40"}, "10", all) {
		t.Error("allowed in a direct conversation")
	}
}
