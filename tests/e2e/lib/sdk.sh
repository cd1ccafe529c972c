# Readers that are not ours, installed once from npm as tests/sdk/package-lock.json says, in the tests' cache. Sourced.
# sdk_modules: sets NODE_PATH, or prints why there are none and fails. $here is tests/e2e.
sdk_modules() {
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then echo "node or npm is not installed"; return 1; fi
	sdk_dir=${WHITTLE_TEST_CACHE:-/var/cache/whittle-test}/sdk
	if ! cmp -s "$here/../sdk/package-lock.json" "$sdk_dir/installed"; then
		mkdir -p "$sdk_dir" && cp "$here/../sdk/package.json" "$here/../sdk/package-lock.json" "$sdk_dir" &&
			npm ci --prefix "$sdk_dir" --ignore-scripts --no-audit --no-fund --silent >"$sdk_dir/log" 2>&1 && cp "$sdk_dir/package-lock.json" "$sdk_dir/installed" ||
			{ echo "the packages of tests/sdk could not be had"; return 1; }
	fi
	NODE_PATH=$sdk_dir/node_modules
	export NODE_PATH
}
