package config

import (
	"strings"
	"testing"
)

func TestSharedGroups(t *testing.T) {
	t.Parallel()
	const head = "[server]\nhosts = [\"a.example\", \"b.example\"]\n[limits]\ngroup_members = 2\n[[shared_group]]\n"
	for text, want := range map[string]string{
		`name = "Team"` + "\n" + `members = ["ann@a.example", "bo@a.example"]`:          "",
		`name = "Team"` + "\n" + `members = ["everyone"]` + "\n" + `host = "b.example"`: "",
		`members = ["everyone"]`: "shared_group[0].name",
		`name = "Team"`:          "shared_group[0].members",
		`name = "Team"` + "\n" + `members = ["ann@b.example"]`:                                                                   "shared_group[0].members",
		`name = "Team"` + "\n" + `members = ["ann"]`:                                                                             "shared_group[0].members",
		`name = "Team"` + "\n" + `members = ["a@a.example", "b@a.example", "c@a.example"]`:                                       "more than limits.group_members",
		`name = "Team"` + "\n" + `members = ["everyone"]` + "\n" + `host = "c.example"`:                                          "shared_group[0].host",
		`name = "T"` + "\n" + `members = ["everyone"]` + "\n[[shared_group]]\n" + `name = "T"` + "\n" + `members = ["everyone"]`: "shared_group[1].name",
	} {
		c, err := Parse([]byte(head+text), "", nil)
		if want == "" && err == nil && c.Groups[0].Host != "" {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	old, _ := Parse([]byte(head+"name = \"T\"\nmembers = [\"everyone\"]"), "", nil)
	next, _ := Parse([]byte(head+"name = \"U\"\nmembers = [\"everyone\"]"), "", nil)
	if got, changes := old.Reload(next); len(changes.Reloaded) != 1 || changes.Reloaded[0] != "shared_group" || got.Groups[0].Name != "U" || old.Groups[0].Name != "T" {
		t.Errorf("%+v %+v", changes, got.Groups)
	}
}
