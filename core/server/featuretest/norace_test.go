//go:build !race

package featuretest

const raceDetector = false
