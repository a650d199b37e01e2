package lenientjson

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

type outer struct {
	inner
	List  []inner         `json:"list"`
	Ref   *inner          `json:"ref"`
	Refs  []*inner        `json:"refs"`
	Texts []string        `json:"texts"`
	At    *time.Time      `json:"at"`
	On    bool            `json:"on"`
	Ratio float64         `json:"ratio"`
	Small int8            `json:"small"`
	Raw   json.RawMessage `json:"raw"`
	Map   map[string]int  `json:"map"`
	Any   any             `json:"any"`
	Own   upper           `json:"own"`
	Deep  *outer          `json:"deep"`
}

// upper is a type that reads itself.
type upper string

func (u *upper) UnmarshalJSON(data []byte) error {
	var s string
	err := json.Unmarshal(data, &s)
	*u = upper(strings.ToUpper(s))
	return err
}

func TestUnmarshal(t *testing.T) {
	for name, c := range map[string]struct {
		in      string
		want    outer
		skipped []string
	}{
		"everything": {
			in: `{"name":"a\u00e9\"","count":-3,"list":[{"name":"x"}],"ref":{"count":1},"texts":["p","q"],"at":"2026-01-02T03:04:05.5+00:00","on":true,"ratio":1.5,"small":7,"raw":{"a":[1]},"map":{"k":2},"any":[1],"own":"x"}`,
			want: outer{
				inner: inner{"aé\"", -3}, List: []inner{{Name: "x"}}, Ref: &inner{Count: 1}, Texts: []string{"p", "q"}, At: at(t, "2026-01-02T03:04:05.5Z"),
				On: true, Ratio: 1.5, Small: 7, Raw: json.RawMessage(`{"a":[1]}`), Map: map[string]int{"k": 2}, Any: []any{1.0}, Own: "X",
			},
		},
		"null is nothing":            {in: ` { "name" : null , "list" : null, "refs":[null], "texts":[null,"a"], "raw":null } `, want: outer{Refs: []*inner{}, Texts: []string{"a"}}},
		"number and text":            {in: `{"name":7,"count":"12","ratio":"0.5","on":"true","small":3.0}`, want: outer{inner: inner{"7", 12}, Ratio: 0.5, On: true, Small: 3}},
		"an element is left out":     {in: `{"list":[{"name":"a"},5,{"name":{}},{"name":"b"}]}`, want: outer{List: []inner{{Name: "a"}, {}, {}, {Name: "b"}}}, skipped: []string{"list[1]", "list[2].name"}},
		"a field is left out":        {in: `{"name":[],"count":"x","at":"yesterday","small":1000,"on":1,"own":1,"count":4}`, want: outer{inner: inner{Count: 4}}, skipped: []string{"name", "count", "at", "small", "on", "own"}},
		"an object for a list":       {in: `{"list":{"a":"]}"},"texts":"x","ref":[],"map":[],"name":"n"}`, want: outer{inner: inner{Name: "n"}}, skipped: []string{"list", "texts", "ref", "map"}},
		"unknown members":            {in: `{"x":{"y":["}\""]},"name":"n","z":1e5}`, want: outer{inner: inner{Name: "n"}}},
		"a map without what is else": {in: `{"map":{"a":1,"b":{}}}`, want: outer{Map: map[string]int{"a": 1}}, skipped: []string{"map.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got outer
			skipped, err := Unmarshal([]byte(c.in), &got)
			if err != nil || !slices.Equal(skipped, c.skipped) || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, left out %q, want %q:\n%+v\n%+v", err, skipped, c.skipped, got, c.want)
			}
		})
	}
}

func at(t *testing.T, s string) *time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestUnmarshalOfNoJSON(t *testing.T) {
	for _, in := range []string{"", "{", `{"name":}`, "<html>", `{"name":"a"} x`, "\x00"} {
		got := outer{inner: inner{Name: "kept"}}
		if _, err := Unmarshal([]byte(in), &got); err == nil || got.Name != "kept" {
			t.Errorf("%q: %v, %+v", in, err, got)
		}
	}
	if _, err := Unmarshal([]byte(`{}`), outer{}); err == nil {
		t.Error("no pointer is needed")
	}
}

func TestUnmarshalOfAnotherType(t *testing.T) {
	var list []inner
	if skipped, err := Unmarshal([]byte(`{}`), &list); err != nil || list != nil || !slices.Equal(skipped, []string{""}) {
		t.Errorf("%v, %q, %v", err, skipped, list)
	}
}

func TestUnmarshalStaysShallow(t *testing.T) {
	var got outer
	in := strings.Repeat(`{"deep":`, 5000) + "{}" + strings.Repeat("}", 5000)
	if skipped, err := Unmarshal([]byte(in), &got); err != nil || len(skipped) != 1 {
		t.Errorf("%v, %d left out", err, len(skipped))
	}
}

// What encoding/json reads without an error is read in the same way.
func FuzzUnmarshal(f *testing.F) {
	for _, in := range []string{`{"name":"a","count":1,"list":[{"count":2}],"at":"2026-01-02T03:04:05Z"}`, `{"list":[1,{"name":[]}],"raw":[{}],"map":{"a":"b"}}`, `[]`, `" "`, `{"deep":{"deep":{}}}`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var got outer
		skipped, err := Unmarshal(in, &got)
		if (err == nil) != json.Valid(in) {
			t.Fatalf("%q: %v", in, err)
		}
		if len(skipped) > maxSkipped {
			t.Errorf("%d left out", len(skipped))
		}
		var exact, again struct {
			Name  string   `json:"name"`
			Texts []string `json:"texts"`
		}
		if json.Unmarshal(in, &exact) != nil || strings.Contains(string(in), "null") || strings.Count(strings.ToLower(string(in)), "name")+strings.Count(strings.ToLower(string(in)), "texts") > 1 || strings.Contains(string(in), `\u`) {
			return
		}
		if _, err := Unmarshal(in, &again); err != nil || exact.Name != "" && exact.Name != again.Name || len(exact.Texts) != len(again.Texts) {
			if !strings.ContainsAny(string(in), "NAMETEXTSſK") { // encoding/json takes names in any case
				t.Errorf("%q: %v, %+v, want %+v", in, err, again, exact)
			}
		}
	})
}

func TestOnce(t *testing.T) {
	var o Once
	if !o.First("message", []string{"list[0].name"}) || o.First("message", []string{"list[12].name"}) || !o.First("edit", []string{"list[0].name"}) {
		t.Error("the same values are told apart by their kind and place in the object, not by the place in a list")
	}
	n := 0
	for i := range 1000 {
		if o.First("message", []string{strings.Repeat("x", i)}) {
			n++
		}
	}
	if n != maxOnce-2 {
		t.Errorf("%d", n)
	}
}
