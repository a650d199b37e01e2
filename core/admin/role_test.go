package admin

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// roles is a RoleStore.
type roles struct {
	list map[jid.JID]Role
	err  error
}

func (r *roles) Roles(context.Context) (map[jid.JID]Role, error) { return maps.Clone(r.list), r.err }

func (r *roles) SetRole(_ context.Context, account jid.JID, role Role) error {
	if _, ok := r.list[account]; !ok {
		return ErrNoAccount
	}
	r.list[account] = role
	return nil
}

// A role belongs to a bare address as a whole: whoever has the same user name elsewhere, or a similar one, has none.
func TestCVE_2020_8086_RoleOfWholeAddress(t *testing.T) {
	t.Parallel()
	r := NewRights([]string{"Boss@Example.org", "chief@away.test", "example.net", "boss", "x@example.org/y", ""}, []string{"boss@example.org", "help@example.org"}, &roles{})
	for who, want := range map[string]Role{
		"boss@example.org": Admin, "boss@example.org/desk": Admin, "chief@away.test/x": Admin, "help@example.org": Operator,
		"boss@example.com": User, "boss@away.test": User, "chief@example.org": User, "boss@boss@example.org": User, "boss@sub.example.org": User,
		"example.org": User, "example.org/boss@example.org": User, "example.net": User, "x@example.net": User, "boss": User, "x@example.org": User,
		"help@example.org.": Operator, "b0ss@example.org": User,
	} {
		j, err := jid.Parse(who)
		if err != nil {
			continue
		}
		if got := r.Role(j); got != want {
			t.Errorf("%s is %s, not %s", who, got, want)
		}
	}
	if got := r.Role(jid.JID{}); got != User {
		t.Error(got)
	}
}

func TestGrant(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	boss, ann, nobody := jid.MustParse("boss@example.org"), jid.MustParse("ann@example.org"), jid.MustParse("nobody@example.org")
	s := &roles{list: map[jid.JID]Role{ann: User, boss: User}}
	r := NewRights([]string{"boss@example.org"}, nil, s)
	if err := r.Grant(ctx, ann, Operator); err != nil || r.Role(ann) != Operator || r.Configured(ann) != User {
		t.Error(err, r.Role(ann))
	}
	if err := r.Grant(ctx, boss, User); !errors.Is(err, ErrConfigured) || r.Role(boss) != Admin {
		t.Error(err, r.Role(boss))
	}
	if err := r.Grant(ctx, nobody, Admin); !errors.Is(err, ErrNoAccount) || r.Role(nobody) != User {
		t.Error(err)
	}
	if all := r.All(); len(all) != 2 || all[ann] != Operator || all[boss] != Admin {
		t.Error(all)
	}
	s.err = errors.New("no database")
	if err := r.Reload(ctx); err == nil || r.Role(ann) != Operator {
		t.Error("after an error the roles before stay", err, r.Role(ann))
	}
	s.err = nil
	if err := r.Grant(ctx, ann, User); err != nil || r.Role(ann) != User {
		t.Error(err, r.Role(ann))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	for right := range Right(rights) {
		if User.May(right) || !Admin.May(right) || table[right].text == "" {
			t.Errorf("right %d", right)
		}
	}
	if Operator.May(DeleteAccounts) || Operator.May(GrantRoles) || !Operator.May(ManageAccounts) {
		t.Error("rights of operators")
	}
	for _, c := range []struct {
		who, other Role
		may        bool
	}{{Admin, Admin, true}, {Admin, User, true}, {Operator, User, true}, {Operator, Operator, false}, {Operator, Admin, false}, {User, User, false}} {
		if c.who.MayManage(c.other) != c.may {
			t.Errorf("%+v", c)
		}
	}
	if n := strings.Count(Table(), "\n"); n != rights+2 {
		t.Errorf("%d lines", n)
	}
	for _, role := range []Role{User, Operator, Admin} {
		if got, err := ParseRole(role.String()); err != nil || got != role {
			t.Error(got, err)
		}
	}
	if _, err := ParseRole("owner"); err == nil {
		t.Error("owner is a role")
	}
}
