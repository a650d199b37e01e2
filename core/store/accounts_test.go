package store

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
	carol = jid.MustParse("carol@example.net")
)

func account(t testing.TB, s *Store, who ...jid.JID) {
	t.Helper()
	for _, a := range who {
		if err := s.CreateAccount(t.Context(), a, sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	c, err := sasl.NewCredentials("secret", 4096)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateAccount(ctx, alice, c); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateAccount(ctx, alice, sasl.Credentials{}); !errors.Is(err, ErrAccountExists) {
		t.Errorf("made twice: %v", err)
	}
	got, err := s.Credentials(ctx, alice)
	if err != nil || !got.Check("secret") || got.Check("wrong") || got.Disabled {
		t.Errorf("credentials: %v", err)
	}
	if diff := cmp.Diff(c.Keys, got.Keys); diff != "" {
		t.Error(diff)
	}
	if c, err = sasl.NewCredentials("other", 4096); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetCredentials(ctx, alice, c), s.SetDisabled(ctx, alice, true)); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Credentials(ctx, alice); err != nil || !got.Check("other") || got.Check("secret") || !got.Disabled {
		t.Errorf("changed credentials: %v", err)
	}
	a, err := s.Account(ctx, alice)
	if err != nil || a.JID != alice || a.Created.IsZero() || a.Disabled.IsZero() {
		t.Errorf("%+v %v", a, err)
	}
	if err := s.SetDisabled(ctx, alice, false); err != nil {
		t.Fatal(err)
	}
	account(t, s, bob)
	if all, err := s.Accounts(ctx); err != nil || len(all) != 2 || !all[0].Disabled.IsZero() {
		t.Errorf("%+v %v", all, err)
	}
	yes, err := s.Exists(ctx, alice)
	no, err2 := s.Exists(ctx, carol)
	if !yes || no || err != nil || err2 != nil {
		t.Error(yes, no, err, err2)
	}
	_, err = s.Credentials(ctx, carol)
	_, err2 = s.Account(ctx, carol)
	for i, err := range []error{err, err2, s.SetCredentials(ctx, carol, c), s.SetDisabled(ctx, carol, true), s.DeleteAccount(ctx, carol)} {
		if !errors.Is(err, ErrNoAccount) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Whatever table holds something of an account, nothing of it outlives the account: one
// made anew under the same name starts empty (the class of CVE-2024-25420).
func TestDeleteAccountLeavesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	account(t, s, alice, bob)
	tables := accountTables(t, s)
	if len(tables) < 8 {
		t.Fatalf("only %v", tables)
	}
	for _, who := range []jid.JID{alice, bob} {
		if err := s.Write(ctx, func(tx *sql.Tx) error { return fill(tx, s.dialect, tables, who) }); err != nil {
			t.Fatal(err)
		}
	}
	before, old, err := s.Roster(ctx, alice, "")
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	if err := s.DeleteAccount(ctx, alice); err != nil {
		t.Fatal(err)
	}
	account(t, s, alice)
	for _, table := range tables {
		var hers, his int
		err := s.reads.QueryRow(`SELECT (SELECT count(*) FROM `+table+` WHERE account = ?), (SELECT count(*) FROM `+table+` WHERE account = ?)`,
			alice.String(), bob.String()).Scan(&hers, &his)
		if err != nil || hers != 0 || his == 0 {
			t.Errorf("%s: %d rows of the deleted account, %d of the other, %v", table, hers, his, err)
		}
	}
	if _, v, err := s.Roster(ctx, alice, ""); err != nil || v == old {
		t.Errorf("the roster version comes back: %s %v", v, err)
	}
}

// accountTables are the tables that hang on accounts, parents first.
func accountTables(t *testing.T, s *Store) []string {
	t.Helper()
	query := `SELECT m.name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
WHERE m.type = 'table' AND f."from" = 'account' ORDER BY f."table" <> 'accounts', m.name`
	if s.dialect == Postgres {
		query = `SELECT c.conrelid::regclass::text FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] AND a.attname = 'account'
WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace
ORDER BY c.confrelid::regclass::text <> 'accounts', 1`
	}
	list, err := texts(s.reads.Query(query))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// fill puts a row of nothing in particular for an account into each table.
func fill(tx *sql.Tx, d Dialect, tables []string, who jid.JID) error {
	query := `SELECT name FROM pragma_table_info(?) WHERE name <> 'seq'`
	if d == Postgres {
		query = `SELECT column_name::text FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'NO'`
	}
	for _, table := range tables {
		cols, err := texts(tx.Query(query, table))
		if err != nil {
			return err
		}
		names, marks, values := "", "", []any{}
		for i, col := range cols {
			if i > 0 {
				names, marks = names+", ", marks+", "
			}
			names, marks = names+col, marks+"?"
			switch col {
			case "account":
				values = append(values, who.String())
			case "contact":
				values = append(values, carol.String())
			case "subscription":
				values = append(values, string(roster.Both))
			case "number": // of its own for each account
				values = append(values, 1000+len(who.String()))
			case "id", "session", "subject", "service", "token": // of its own for each account
				values = append(values, who.String())
			case "policy":
				values = append(values, "always")
			default:
				values = append(values, "1")
			}
		}
		if _, err := tx.Exec(`INSERT INTO `+table+` (`+names+`) VALUES (`+marks+`)`, values...); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

// A stranger who asks for a name that is taken does not make us compute the keys of a password.
func TestTakenNameIsCheap(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Iterations: 100_000_000}) // half a minute at least
	account(t, s, alice)
	begun := time.Now()
	if err := s.Register(t.Context(), alice, "mine"); !errors.Is(err, register.ErrTaken) {
		t.Error(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// An account whose end has begun is none any more, for anybody, and its name is not free before
// the end.
func TestRemoveAccount(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	account(t, s, alice, bob)
	if err := s.RemoveAccount(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if yes, err := s.Exists(ctx, alice); yes || err != nil {
		t.Error(yes, err)
	}
	if list, err := s.Accounts(ctx); err != nil || len(list) != 1 || list[0].JID != bob {
		t.Error(list, err)
	}
	c, err := sasl.NewCredentials("secret", 4096)
	if err != nil {
		t.Fatal(err)
	}
	_, gone := s.Account(ctx, alice)
	for what, err := range map[string]error{
		"Account": gone, "SetCredentials": s.SetCredentials(ctx, alice, c), "RemoveAccount": s.RemoveAccount(ctx, alice), "stranger": s.RemoveAccount(ctx, carol),
	} {
		if !errors.Is(err, ErrNoAccount) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.CreateAccount(ctx, alice, c); !errors.Is(err, ErrBeingRemoved) {
		t.Error(err)
	}
	if list, err := s.Removals(ctx); err != nil || len(list) != 1 || list[0] != alice {
		t.Error(list, err)
	}
	if err := s.DeleteAccount(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Removals(ctx); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if err := s.CreateAccount(ctx, alice, c); err != nil {
		t.Error(err)
	}
}
