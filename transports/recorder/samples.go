package recorder

import (
	"encoding/json"
	"os"
	"testing"
)

// Sample is a message of a network as it sends it.
type Sample struct {
	Name string
	JSON json.RawMessage
}

// Samples reads a file with a list of samples. Their content is what they have under key.
func Samples(t testing.TB, file, key string) []Sample {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	samples := make([]Sample, len(list))
	for i, one := range list {
		if err := json.Unmarshal(one["name"], &samples[i].Name); err != nil {
			t.Fatal(err)
		}
		samples[i].JSON = one[key]
	}
	return samples
}
