package nick

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNamesThatLookAlike(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"Ann", "Ａｎｎ", "Аnn", "A\u200bnn", "Ann\ufe0f", " Ann ", "\u202eAnn\u202c", "𝐀𝐧𝐧"},
		{"Cleo", "Ϲleo", "ϹIeo", "Сlео"},
		{"Paul", "Раul", "PauI", "Pau1", "ΡauІ"},
		{"Zoé", "Zoe\u0301"},
		{"O'Neil", "O’Neil", "0'NeiI"},
		{"Ann ❤", "Ann ❤️", "Ann  ❤"},
	} {
		for _, other := range same[1:] {
			if Skeleton(other) != Skeleton(same[0]) {
				t.Errorf("%q and %q: %q and %q", same[0], other, Skeleton(same[0]), Skeleton(other))
			}
		}
	}
	for _, different := range [][2]string{{"Ann", "ann"}, {"Zoe", "Zoé"}, {"Ann", "Ann (2)"}, {"Ann", "Anna"}, {"山田", "山本"}, {"Иван", "Ivan"}, {"❤", "☕"}} {
		if Skeleton(different[0]) == Skeleton(different[1]) {
			t.Errorf("%q and %q", different[0], different[1])
		}
	}
}

func TestSkeletonOfASkeleton(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if once := Skeleton(name); Skeleton(once) != once {
			t.Errorf("%q: %q, then %q", name, once, Skeleton(once))
		}
	})
}
