//! Generates the gRPC wire when feature `wire` is on; without it there is nothing to do. Needs no protoc.

fn main() {
    #[cfg(feature = "wire")]
    if let Err(error) = wire() {
        println!("cargo:error=the gRPC wire: {error}");
    }
}

#[cfg(feature = "wire")]
#[expect(
    clippy::disallowed_methods,
    reason = "a build script is a shell: it writes what it generates where cargo says"
)]
fn wire() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler
        .include_source_info(true)
        .open_files(["featuregrid/v1/featuregrid.proto", "featuregrid/v1/admin.proto"])?;
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out.join("featuregrid.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
