package bridge_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
)

const nsRegister = "jabber:iq:register"

// write writes to the gateway itself.
func (h *harness) write(text string) []string {
	h.Helper()
	h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", text)))
	return h.messages(phone)
}

func TestRegistrationForm(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.Code = "4711"
		h.start()
		answer := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(nsRegister, "query"))
		query := answer.Child(nsRegister, "query")
		if query.Child("", "username") == nil || query.Child("", "password") == nil || query.Child("", "registered") != nil {
			t.Fatal(answer)
		}
		f, err := form.Parse(query.Child(form.NS, "x"))
		h.check(err)
		if f.Field("password").Type != form.TextPrivate || f.FormType() != nsRegister {
			t.Error(answer)
		}
		submit := func(name, password string) *stanza.Stanza {
			f := form.New(form.Submit, nsRegister, "").Set("name", name).Set("password", password)
			return h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(f.Element()))
		}
		if a := submit("ann", "wrong"); a.Type != stanza.TypeError || !strings.Contains(a.Err().Text, "password is wrong") {
			t.Error(a)
		}
		if a := submit("", "x"); a.Type != stanza.TypeError || a.Err().Condition != "not-acceptable" {
			t.Error(a)
		}
		if a := submit("ann", "right"); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		// The second step goes on by message.
		got := h.messages(phone)
		got = append(got, h.messages(ann)...)
		if len(got) != 3 || got[0] != "gateway: A code was sent to you." || !strings.Contains(got[2], "Code") {
			t.Errorf("%q", got)
		}
		if got := h.write("1"); len(got) != 2 || got[0] != "gateway: Code: The code is wrong." {
			t.Errorf("%q", got)
		}
		if got := h.write("4711"); len(got) != 1 || got[0] != "gateway: Your Echo account Ann at Echo is linked." {
			t.Errorf("%q", got)
		}
		time.Sleep(time.Second)
		if q := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(nsRegister, "query")); q.Child(nsRegister, "query").Child("", "registered") == nil {
			t.Error(q)
		}
		h.world.SayDirect("cleo", "ann", "hi")
		if got := h.messages(phone); fmt.Sprint(got) != "[cleo: hi]" {
			t.Errorf("%q", got)
		}
	})
}

func TestLinkByChat(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		if got := h.write("hello"); len(got) != 1 || !strings.Contains(got[0], "link – link an account") || strings.Contains(got[0], "replay") || strings.Contains(got[0], "unlink") {
			t.Errorf("%q", got)
		}
		if got := h.write("status"); len(got) != 1 || !strings.Contains(got[0], "You can write") {
			t.Errorf("%q", got)
		}
		got := h.write("link echo")
		if len(got) != 4 || got[1] != "gateway: "+formFirst("Link an account") || !strings.HasSuffix(got[3], "Name") {
			t.Fatalf("%q", got)
		}
		h.write("nobody")
		if got := h.write("x"); len(got) != 2 || !strings.Contains(got[0], "password is wrong") {
			t.Errorf("%q", got)
		}
		if got := h.write("cancel"); fmt.Sprint(got) != "[gateway: Cancelled.]" {
			t.Errorf("%q", got)
		}
		h.write("link")
		h.write("ann")
		if got := h.write("sesame"); fmt.Sprint(got) != "[gateway: Your Echo account Ann at Echo is linked.]" {
			t.Errorf("%q", got)
		}
		time.Sleep(time.Second)
		h.discard()
		if got := h.write("status"); fmt.Sprint(got) != "[gateway: 1. Ann at Echo: online]" {
			t.Errorf("%q", got)
		}
		if got := h.write("rooms"); len(got) != 1 || !strings.Contains(got[0], "\nPlaza: xmpp:plaza@echo.example.org?join\n") {
			t.Errorf("%q", got)
		}
		h.write("unlink")
		if got := h.write("yes"); fmt.Sprint(got) != "[gateway: The account is unlinked.]" {
			t.Errorf("%q", got)
		}
	})
}

// formFirst is what a chat says before it asks for a secret.
func formFirst(command string) string {
	return "It is safer to enter this in a form: choose \"" + command + "\" among the commands of echo.example.org in your client, or open " +
		"xmpp:echo.example.org?register. Write \"cancel\" here first. To go on here, just answer."
}

// command runs one step of an ad-hoc command.
func (h *harness) command(node, session string, f *form.Form) *stanza.Element {
	h.Helper()
	x := stanza.NewElement("http://jabber.org/protocol/commands", "command").With("node", node).With("sessionid", session)
	if f != nil {
		x.Add(f.Element())
	}
	a := h.ask(phone, domain, stanza.TypeSet, x)
	if a.Type == stanza.TypeError {
		h.Fatal(a)
	}
	return a.Child("http://jabber.org/protocol/commands", "command")
}

func TestLinkByCommandAndSeveralAccounts(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		items := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement("http://jabber.org/protocol/disco#items", "query").With("node", "http://jabber.org/protocol/commands"))
		if s := items.String(); !strings.Contains(s, "node='link'") || strings.Contains(s, "node='replay'") {
			t.Error(s)
		}
		for _, who := range []string{"ann", "ben"} {
			first := h.command("link", "", nil)
			done := h.command("link", first.Attr("sessionid"), form.New(form.Submit, "", "").Set("name", who).Set("password", "x"))
			if done.Attr("status") != "completed" || !strings.Contains(done.String(), "is linked") {
				t.Fatal(done)
			}
			time.Sleep(time.Second)
		}
		h.discard()
		// Both accounts are in the plaza: ann sees each message once.
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "twice?")
		h.expect(phone, "plaza/Cleo: twice?")
		h.join(phone, "den")
		h.world.Say("den", "cleo", "twice?")
		h.expect(phone, "den/Cleo: twice?")
		// A command asks which of them is meant.
		ask := h.command("relink", "", nil)
		if !strings.Contains(ask.String(), "Ben at Echo") {
			t.Fatal(ask)
		}
		f, err := form.Parse(ask.Child(form.NS, "x"))
		h.check(err)
		ben := f.Field("account").Options[1].Value
		step := h.command("relink", ask.Attr("sessionid"), form.New(form.Submit, "", "").Set("account", ben))
		again := h.command("relink", step.Attr("sessionid"), form.New(form.Submit, "", "").Set("name", "cleo").Set("password", "x"))
		if !strings.Contains(again.String(), "somebody else") {
			t.Error(again)
		}
		done := h.command("relink", step.Attr("sessionid"), form.New(form.Submit, "", "").Set("name", "ben").Set("password", "x"))
		if !strings.Contains(done.String(), "is linked") {
			t.Error(done)
		}
		time.Sleep(time.Second)
		if got := h.write("status"); fmt.Sprint(got) != "[gateway: 1. Ann at Echo: online\n2. Ben at Echo: online]" {
			t.Errorf("%q", got)
		}
	})
}

func TestWhoMayLink(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.set.Users = []string{"example.org", "*@staff.*"}
		h.set.Hosts = []string{"example.org", "staff.example.net", "example.com"}
		h.set.Logins = 1
		h.start()
		for who, condition := range map[string]string{
			"ann@example.org/x": "", "joe@staff.example.net/x": "", "eve@example.com/x": "not-allowed", "mal@example.edu/x": "not-allowed",
		} {
			a := h.ask(jidOf(who), domain, stanza.TypeGet, stanza.NewElement(nsRegister, "query"))
			if condition == "" && a.Type != stanza.TypeResult || condition != "" && (a.Type != stanza.TypeError || a.Err().Condition != condition) {
				t.Errorf("%s: %s", who, a)
			}
		}
		h.link(phone, "ann")
		a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(
			stanza.TextElement(nsRegister, "username", "ben"), stanza.TextElement(nsRegister, "password", "x")))
		if a.Type != stanza.TypeError || a.Err().Condition != "resource-constraint" {
			t.Error(a)
		}
	})
}

// After unlinking nothing of the account is left, in any table.
func TestUnlinkLeavesNothing(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, id := range []string{"plaza", "den"} {
			h.join(phone, id)
			h.world.Say(transports.RoomID(id), "cleo", "hello")
			st := h.sendToRoom(phone, id, "hello")
			h.sendToRoom(phone, id, "hallo", replace(st.ID))
			h.sendToRoom(phone, id, "", reactions(st.ID, "👍"))
		}
		h.world.SayDirect("cleo", "ann", "a word")
		h.sendTo(phone, "cleo", "another")
		h.world.Outage(true)
		h.sendTo(phone, "cleo", "waiting")
		h.sendToRoom(phone, "plaza", "waiting")
		h.discard()
		if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		var unsubscribed []string
		for _, st := range append(h.received(ann), h.received(phone)...) {
			if st.Kind == stanza.Presence && st.Type == stanza.TypeUnsubscribed {
				unsubscribed = append(unsubscribed, st.From.String())
			}
		}
		if len(unsubscribed) < 3 {
			t.Errorf("still in the roster: %q", unsubscribed)
		}
		h.world.Outage(false)
		time.Sleep(time.Minute)
		if got := h.leftOf("ann@example.org"); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
		// Ben still has his plaza.
		h.join(desk, "plaza")
		h.discard()
		h.world.Say("plaza", "cleo", "ben?")
		h.expect(desk, "plaza/Cleo: ben?")
		if a := h.ask(desk, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		time.Sleep(time.Minute)
		for _, table := range h.tables() {
			if n := h.count(table); n > 0 && table != "bridge_gateways" && table != "bridge_secrets" { // of the gateway itself
				t.Errorf("%s has %d rows", table, n)
			}
		}
	})
}

func (h *harness) db() *sql.DB { return h.store.Reader() }

func (h *harness) tables() []string {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'bridge_%'`
	if storetest.OnPostgres() {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'bridge_%'`
	}
	rows, err := h.db().Query(query)
	h.check(err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name string
		h.check(rows.Scan(&name))
		list = append(list, name)
	}
	return list
}

func (h *harness) count(table string) (n int) {
	h.check(h.db().QueryRow(`SELECT count(*) FROM ` + table).Scan(&n))
	return n
}

// leftOf finds rows that hold a text in any column.
func (h *harness) leftOf(text string) []string {
	var left []string
	for _, table := range h.tables() {
		rows, err := h.db().Query(`SELECT * FROM ` + table)
		h.check(err)
		cols, err := rows.Columns()
		h.check(err)
		for rows.Next() {
			values := make([]any, len(cols))
			for i := range values {
				values[i] = new(any)
			}
			h.check(rows.Scan(values...))
			for i, v := range values {
				s := fmt.Sprint(*v.(*any))
				if b, ok := (*v.(*any)).([]byte); ok {
					s = string(b)
				}
				if strings.Contains(s, text) {
					left = append(left, table+"."+cols[i]+": "+s)
				}
			}
		}
		h.check(rows.Close())
	}
	return left
}

// A crash in the middle of unlinking is completed by the next start.
func TestUnlinkIsFinishedAfterACrash(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.stop()
		db, err := store.Open(h.Context(), store.Options{URL: storetest.InDir(h, h.dir)})
		h.check(err)
		h.check(db.Write(h.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE bridge_accounts SET status = 'unlinking'`)
			return err
		}))
		h.check(db.Close())
		h.start()
		time.Sleep(time.Minute)
		if n := h.count("bridge_accounts"); n != 0 {
			t.Errorf("%d accounts", n)
		}
	})
}

func TestSecretsAreSealed(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		if left := append(h.leftOf("secret-of-ann"), h.leftOf("open sesame")...); len(left) > 0 {
			t.Errorf("a secret is in the tables: %s", left)
		}
		h.stop()
		var all []byte
		for _, name := range []string{"dragoman.db", "dragoman.db-wal"} {
			data, _ := os.ReadFile(filepath.Join(h.dir, name))
			all = append(all, data...)
		}
		if len(all) == 0 && !storetest.OnPostgres() {
			t.Error("there is no database")
		}
		if strings.Contains(string(all), "secret-of-ann") || strings.Contains(string(all), "open sesame") {
			t.Error("a secret is in the database")
		}
		if strings.Contains(h.log(), "secret-of-ann") || strings.Contains(h.log(), "open sesame") {
			t.Error("a secret is in the log")
		}
		key := filepath.Join(h.dir, "key")
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info.Mode(), err)
		}
		old, err := os.ReadFile(key)
		h.check(err)
		newer := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
		h.check(os.WriteFile(key, append([]byte(newer), old...), 0o600))
		h.start() // encrypts the secrets with the newest key
		if !strings.Contains(h.log(), "secrets=1 error=<nil>") {
			t.Error("the secrets were not encrypted anew")
		}
		h.stop()
		data, err := os.ReadFile(key)
		h.check(err)
		newest, _, _ := strings.Cut(string(data), "\n")
		h.check(os.WriteFile(key, []byte(newest), 0o600)) // the old key is not needed any longer
		h.start()
		time.Sleep(time.Second)
		h.discard()
		h.world.SayDirect("cleo", "ann", "still here")
		h.expect(phone, "cleo: still here")
	})
}
