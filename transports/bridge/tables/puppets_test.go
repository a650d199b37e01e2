package tables_test

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// What is learned of people for a login that was deleted meanwhile is not kept: nothing would ever delete it.
func TestPeopleOfDeletedLogin(t *testing.T) {
	t.Parallel()
	s, g := openGateway(t)
	err := g.PutPuppets(t.Context(), "gone", []transports.UserInfo{{ID: "cleo", Name: "Cleo"}})
	if !tables.Gone(err) {
		t.Errorf("people of a login that is not there: %v", err)
	}
	if n := count(t, s, `SELECT count(*) FROM bridge_people`); n != 0 {
		t.Errorf("%d people are kept", n)
	}
}
